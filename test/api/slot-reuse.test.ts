/**
 * A socket made while another one's farewell is still under way: neither takes the other's events.
 */
import { join } from 'node:path';
import { connect, createServer } from 'soref';
import t from 'tap';
import { root } from './programs';

interface Environment {
  core: { control: Int32Array; eventsAt: number };
  upcalls: { deliver: () => void };
}
interface Receiver {
  generation: number;
  dispatch: () => void;
}
interface EventDispatcher {
  Event: { end: number };
  register: (slot: number, receiver: Receiver) => void;
  unregister: (slot: number, receiver: Receiver) => void;
}
const internal = (name: string) => require(join(root, 'dist/core', `${name}.js`));

t.test('a listener closed just before a connect still emits close, and the loop ends', (t) => {
  t.plan(2);
  const server = createServer();
  // Without a host to look up, it listens at once.
  server.listen(0);
  const { port } = server.address() as { port: number };
  server.close(() => t.pass('the server has closed'));
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  socket.on('close', () => t.pass('the socket has closed'));
});

t.test('an event reaches whom it names, and not who has the slot before or after', (t) => {
  const { core, upcalls }: Environment = internal('environment');
  const { Event, register, unregister }: EventDispatcher = internal('event-dispatcher');
  const slot = 4000;
  const reached: number[] = [];
  for (const generation of [6, 7, 8]) {
    const receiver: Receiver = { generation: 7, dispatch: () => reached.push(generation) };
    register(slot, receiver);
    // One event, of which none was seen yet, as the core writes it.
    core.control.set([1, 0], 1);
    core.control.set([Event.end, slot, generation, 0, 0], core.eventsAt);
    upcalls.deliver();
    unregister(slot, receiver);
  }
  core.control.set([0, 0], 1);
  t.strictSame(reached, [7]);
  t.end();
});
