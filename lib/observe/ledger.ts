/**
 * `soref.ledger()`: whether everything that was attached is accounted for. Part of the public API;
 * the counters are the core's, one set for each environment (main thread or worker).
 */
import * as environment from '../core/environment';
import type { Ledger } from '../core/reports';

export type { Ledger, References } from '../core/reports';

/**
 * The counters, after everything that was asked for so far has been carried out as far as that takes
 * no waiting. All 0 when `soref.engine` is 'node'.
 */
export function ledger(): Ledger {
  return environment.ledger();
}
