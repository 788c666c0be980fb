/**
 * Node's permission model: with --permission, and without --allow-net, Node refuses to bind and to connect (Node's
 * documentation, "Permission Model"). It cannot see what an addon does, so the handles ask here before they do either.
 */
import * as net from 'node:net';

/** The error of Node's handles for what the model refuses. */
export interface AccessDenied extends Error {
  code: 'ERR_ACCESS_DENIED';
  permission: 'Net';
  /** The peer's address, or a path; '' for the use of a local address. */
  resource: string;
}

/** There with --permission and --permission-audit only. */
const model = process.permission as { has(scope: string, reference?: string): boolean } | undefined;

/**
 * Whether this Node refuses what it does not permit: older ones know no such permission, and an audit only reports.
 * Node itself is asked, with a path that nothing can be bound to.
 */
function isEnforced(): boolean {
  const { _createServerHandle } = net as unknown as {
    _createServerHandle(path: string, port: -1, type: -1): unknown;
  };
  try {
    _createServerHandle('/', -1, -1);
    return false;
  } catch (error) {
    return (error as AccessDenied).code === 'ERR_ACCESS_DENIED';
  }
}

/** Known from the start, or once the program has dropped its permission. */
let enforced: boolean | undefined = model?.has('net') === false ? isEnforced() : undefined;

/** Undefined where the network may be used. The question itself shows in the model's diagnostics channel. */
export function refusal(resource: string): AccessDenied | undefined {
  if (model === undefined || model.has('net', resource || undefined)) return undefined;
  enforced ??= isEnforced();
  if (!enforced) return undefined;
  const message = 'Access to this API has been restricted. Use --allow-net to manage permissions.';
  const error = Object.assign(new Error(message), { code: 'ERR_ACCESS_DENIED', permission: 'Net' });
  return Object.assign(error, { resource }) as AccessDenied;
}
