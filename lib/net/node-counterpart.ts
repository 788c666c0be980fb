/**
 * Sockets that are Node's although soref's constructor was called for them. It may have been called by a subclass,
 * on an object that exists already; then that object gets a prototype like its own, built on Node's where the
 * subclass's is built on soref's. So what the subclass defines stays, and all else is Node's.
 */
import { NodeSocket } from './node-net';

/** From a prototype that is built on soref's to its counterpart on Node's. */
const counterparts = new WeakMap<object, object>();

/** The two prototypes with which every chain of counterparts ends. */
export function pairWithNode(prototype: object): void {
  counterparts.set(prototype, NodeSocket.prototype);
}

function counterpartOf(prototype: object): object {
  let counterpart = counterparts.get(prototype);
  if (counterpart === undefined) {
    const parent = counterpartOf(Object.getPrototypeOf(prototype));
    counterpart = Object.create(parent, Object.getOwnPropertyDescriptors(prototype)) as object;
    counterparts.set(prototype, counterpart);
  }
  return counterpart;
}

/** Makes a socket of Node's of an object on soref's prototype that nothing has initialised yet. */
export function initializeAsNodes(socket: object, options: unknown): void {
  Object.setPrototypeOf(socket, counterpartOf(Object.getPrototypeOf(socket)));
  Reflect.apply(NodeSocket as never, socket, [options]);
}

/** Whether the value is built on the counterpart of the prototype. */
export function isCounterpart(prototype: object, value: unknown): boolean {
  const counterpart = counterparts.get(prototype);
  return (
    counterpart !== undefined && Object.prototype.isPrototypeOf.call(counterpart, value as object)
  );
}
