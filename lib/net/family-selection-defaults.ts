/** The process-wide settings of happy eyeballs, and what one connect() makes of them. */
import { initialAutoSelectFamily, initialAutoSelectFamilyAttemptTimeout } from './node-net';
import { validateBoolean, validateInt32 } from './validation';

/** The least time, in milliseconds, that an attempt is given. */
const SHORTEST_ATTEMPT = 10;

let enabledByDefault = initialAutoSelectFamily;
let defaultAttemptTimeout = initialAutoSelectFamilyAttemptTimeout;

/** Whether connect() tries both families when its options do not say. */
export function getDefaultAutoSelectFamily(): boolean {
  return enabledByDefault;
}

export function setDefaultAutoSelectFamily(value: boolean): void {
  validateBoolean(value, 'value');
  enabledByDefault = value;
}

/** Milliseconds after which the next address is tried when the options do not say. */
export function getDefaultAutoSelectFamilyAttemptTimeout(): number {
  return defaultAttemptTimeout;
}

/** At least 10 ms. */
export function setDefaultAutoSelectFamilyAttemptTimeout(value: number): void {
  validateInt32(value, 'value', 1);
  defaultAttemptTimeout = Math.max(value, SHORTEST_ATTEMPT);
}

/** Checks the two options of connect() and completes them from the defaults. */
export function familySelectionOf(options: {
  autoSelectFamily?: boolean;
  autoSelectFamilyAttemptTimeout?: number;
}): { enabled: boolean; attemptTimeout: number } {
  const { autoSelectFamily, autoSelectFamilyAttemptTimeout } = options;
  if (autoSelectFamily != null) validateBoolean(autoSelectFamily, 'options.autoSelectFamily');
  if (autoSelectFamilyAttemptTimeout != null) {
    validateInt32(autoSelectFamilyAttemptTimeout, 'options.autoSelectFamilyAttemptTimeout', 1);
  }
  return {
    enabled: autoSelectFamily ?? enabledByDefault,
    attemptTimeout: Math.max(
      autoSelectFamilyAttemptTimeout ?? defaultAttemptTimeout,
      SHORTEST_ATTEMPT,
    ),
  };
}
