/**
 * Node's own `net`, as it was before anything of soref took its place among the builtin's exports. Whoever needs
 * Node's constructor (for a handle that is not soref's, or for an object built on Node's prototype) takes it here.
 */
import type * as net from 'node:net';

export const nodeNet: typeof net =
  process.getBuiltinModule?.('node:net') ?? (require('node:net') as typeof net);

/** A copy: later changes of the builtin's exports do not reach it. */
export const {
  BlockList,
  Server: NodeServer,
  Socket: NodeSocket,
  SocketAddress,
  getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  isIP,
  isIPv4,
  isIPv6,
} = nodeNet;
export type BlockList = net.BlockList;
