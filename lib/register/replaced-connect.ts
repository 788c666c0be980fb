/**
 * Programs that mock or trace connections put a connect() of their own on `net.Socket.prototype`. In Node that
 * reaches the sockets of TLS as well. These are built on Node's prototype, which therefore looks whether soref's has
 * another connect() than soref's own. Such a connect() in turn calls soref's, which leaves Node's sockets to Node.
 */
import { NodeSocket } from '../net/node-net';
import { Socket } from '../net/socket';
import { registered } from './registered';

/** To be called once the exports of `net` are replaced. */
export function shareReplacedConnect(): void {
  const own = Socket.prototype.connect;
  let ofNode = NodeSocket.prototype.connect;
  Object.defineProperty(NodeSocket.prototype, 'connect', {
    get() {
      const { connect } = Socket.prototype;
      return connect === own ? ofNode : connect;
    },
    // An assignment to one socket is no replacement for all.
    set(this: object, connect) {
      if (this === NodeSocket.prototype) {
        ofNode = connect;
      } else {
        const attributes = { writable: true, enumerable: true, configurable: true };
        Object.defineProperty(this, 'connect', { value: connect, ...attributes });
      }
    },
    enumerable: true,
    configurable: true,
  });
  registered.push('tls.TLSSocket.prototype.connect');
}
