/**
 * What one connect() makes of its options for happy eyeballs. The process-wide defaults are Node's own, because
 * sockets that stay Node's, such as those of TLS, follow them too.
 */
import { getDefaultAutoSelectFamily, getDefaultAutoSelectFamilyAttemptTimeout } from './node-net';
import { validateBoolean, validateInt32 } from './validation';

/** The least time, in milliseconds, that an attempt is given. */
const SHORTEST_ATTEMPT = 10;

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
    enabled: autoSelectFamily ?? getDefaultAutoSelectFamily(),
    attemptTimeout: Math.max(
      autoSelectFamilyAttemptTimeout ?? getDefaultAutoSelectFamilyAttemptTimeout(),
      SHORTEST_ATTEMPT,
    ),
  };
}
