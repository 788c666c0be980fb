/**
 * What Node tells of what keeps the process alive (Node's documentation, process.getActiveResourcesInfo(), and the older
 * process._getActiveHandles()): soref's sockets and servers are among it, as Node's are.
 */
import { attachedReceivers } from '../core/event-dispatcher';
import { Handle } from '../core/handle';
import { Server } from '../net/server';
import { replace } from './registered';

interface Process {
  getActiveResourcesInfo(): string[];
  _getActiveHandles(): unknown[];
}

/** Those which have not been let off by unref(). */
function activeHandles(): Handle[] {
  return attachedReceivers().filter(
    (receiver): receiver is Handle => receiver instanceof Handle && receiver.hasRef(),
  );
}

/** Node's names. */
function resourceName({ kind, owner }: Handle): string {
  if (kind === 'pipe') return 'PipeWrap';
  return owner instanceof Server ? 'TCPServerWrap' : 'TCPSocketWrap';
}

export function reportActiveResources(): void {
  const node = process as unknown as Process;
  const { getActiveResourcesInfo, _getActiveHandles } = node;
  const own: Process = {
    getActiveResourcesInfo: () => [
      ...getActiveResourcesInfo.call(process),
      ...activeHandles().map(resourceName),
    ],
    _getActiveHandles: () => [
      ..._getActiveHandles.call(process),
      ...activeHandles().map((handle) => handle.owner ?? handle),
    ],
  };
  for (const name of ['getActiveResourcesInfo', '_getActiveHandles'] as const) {
    replace(node, name, own[name], `process.${name}`);
  }
}
