/**
 * Writes to a peer that has reset the connection: each callback hears of it, before 'error' is emitted. Every program is
 * run on both nets; the peer is Node's.
 */
import t from 'tap';
import { onBothNets } from './both-nets';

const writes: Record<string, string> = {
  'a large write': `socket.write(Buffer.alloc(100_000), answer('first'));`,
  'a large write, and one behind it': `
    socket.write(Buffer.alloc(100_000), answer('first'));
    socket.write('x', answer('second'));`,
  'more than the kernel takes': `
    socket.write(Buffer.alloc(10_000_000), answer('first'));
    socket.write(Buffer.alloc(100_000), answer('second'));`,
  'large pieces together': `
    socket.cork();
    for (let i = 0; i < 3; i++) socket.write(Buffer.alloc(30_000), answer(i));
    socket.uncork();`,
  'small and large pieces together': `
    socket.cork();
    for (let i = 0; i < 3; i++) socket.write(Buffer.alloc(i === 1 ? 30_000 : 30), answer(i));
    socket.uncork();`,
  'the last write': `socket.end(Buffer.alloc(100_000), answer('end'));`,
};

for (const [name, write] of Object.entries(writes)) {
  t.test(name, async (t) => {
    const { stdout } = await onBothNets(
      t,
      `const answer = (which) => (error) => log(which, error?.code ?? 'written');
      const peer = require('node:net').createServer((socket) => {
        peer.close();
        setTimeout(() => socket.resetAndDestroy(), 50);
      });
      peer.listen(0, '127.0.0.1', () => {
        const socket = net.connect(peer.address().port, '127.0.0.1', () => {
          socket.pause();
          setTimeout(() => { ${write} }, 200);
        });
        socket.on('error', (error) => log('error', error.code, error.syscall));
        socket.on('close', (hadError) => log('close', hadError));
      });`,
    );
    t.match(stdout, /^error ECONNRESET write$/m);
    t.notMatch(stdout, /written/);
  });
}
