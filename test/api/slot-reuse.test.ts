/**
 * A socket made while another one's farewell is still under way: neither takes the other's events.
 */
import { connect, createServer } from 'soref';
import t from 'tap';

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
