/**
 * What a socket writes beyond a turn's limit leaves also where no other turn comes: before a destroy, and before the
 * process ends. Each program is run on both nets; the peer is Node's.
 */
import t from 'tap';
import { onBothNets } from './both-nets';

const writers = {
  'small writes': 'for (let i = 0; i < 100; i++) socket.write(Buffer.alloc(4000), answered);',
  'large writes': 'for (let i = 0; i < 4; i++) socket.write(Buffer.alloc(100_000), answered);',
  texts: `for (let i = 0; i < 4; i++) socket.write('é'.repeat(30_000), answered);`,
  'more pieces than one send takes': `
    socket.write(Buffer.alloc(100_000), answered);
    socket.cork();
    for (let i = 0; i < 40; i++) socket.write(Buffer.alloc(17_000), answered);
    socket.uncork();`,
  'what stays corked': `
    socket.write('heard', answered);
    socket.cork();
    for (let i = 0; i < 100; i++) socket.write(Buffer.alloc(4000), answered);`,
};

/** What the writes are followed by. */
const endings = {
  'destroy()': `write(socket); socket.destroy();`,
  'destroy() in a tick': `write(socket); process.nextTick(() => socket.destroy());`,
  'process.exit()': `write(socket); process.exit();`,
  "process.exit(), and destroy() in its 'exit'": `
    write(socket); process.on('exit', () => socket.destroy()); process.exit();`,
  "process.exit(), and more in its 'exit'": `
    write(socket); process.on('exit', () => { socket.write('more'); socket.end('and more'); }); process.exit();`,
  "an 'exit' that they are made in": `process.on('exit', () => write(socket)); process.exit();`,
};

const program = (write: string, ending: string) => `
  const { fork } = require('node:child_process');
  const answers = {};
  const answered = (error) => {
    const answer = error?.code ?? 'written';
    answers[answer] = (answers[answer] ?? 0) + 1;
  };
  function write(socket) { ${write} }
  if (process.argv[4]) {
    const socket = net.connect(Number(process.argv[4]), '127.0.0.1', () => { ${ending} });
    socket.on('close', () => process.send([answers, socket.bytesWritten], () => process.disconnect()));
  } else {
    let bytes = 0;
    const peer = require('node:net').createServer((socket) => {
      socket.on('error', () => {}).on('data', (data) => { bytes += data.length; });
      socket.on('close', () => peer.close());
    });
    peer.listen(0, '127.0.0.1', () => {
      const writer = fork(__filename, [process.argv[2], folder, String(peer.address().port)]);
      let heard;
      writer.on('message', (message) => { heard = message; });
      Promise.all([once(peer, 'close'), once(writer, 'close')])
        .then(() => log('got', bytes, JSON.stringify(heard)));
    });
  }`;

for (const [written, write] of Object.entries(writers)) {
  for (const [name, ending] of Object.entries(endings)) {
    t.test(`${written}, and ${name}`, async (t) => {
      const { stdout } = await onBothNets(t, program(write, ending));
      t.match(stdout, /^got [1-9]/);
    });
  }
}

for (const length of [3, 20_000]) {
  t.test(`${length} bytes, and resetAndDestroy()`, async (t) => {
    const { stdout } = await onBothNets(
      t,
      `const peer = require('node:net').createServer((socket) => {
        let bytes = 0;
        socket.on('data', (data) => { bytes += data.length; });
        // The kernel keeps what has arrived before a reset, which Node may take for an end.
        socket.on('error', () => {}).on('close', () => { log('got', bytes); peer.close(); });
      });
      peer.listen(0, '127.0.0.1', () => {
        net.connect(peer.address().port, '127.0.0.1', function () {
          setTimeout(() => { this.write(Buffer.alloc(${length})); this.resetAndDestroy(); }, 100);
        });
      });`,
    );
    t.equal(stdout, `got ${length}\n`);
  });
}
