// Classes of the program's own that derive from net.Socket: what they define stays, whoever serves the descriptor.
import t from 'tap';
import { onBothNets } from './both-nets';

// Both ways to derive, and one class between. The socket writes into a FIFO, which the core cannot hold, and reads it.
const KINDS = `
const { inherits } = require('node:util');
class Modern extends net.Socket {
  resumed = 0;
  constructor(options) {
    super(options);
    this.shout('from the constructor ');
  }
  resume() {
    this.resumed += 1;
    return super.resume();
  }
  shout(text) {
    return this.write(text.toUpperCase());
  }
  get loud() {
    return true;
  }
}
class Further extends Modern {
  shout(text) {
    return super.shout(text + '!');
  }
}
function Classic(options) {
  net.Socket.call(this, options);
  this.shout('from the constructor ');
}
inherits(Classic, net.Socket);
Classic.prototype.shout = Modern.prototype.shout;
Object.defineProperty(Classic.prototype, 'loud', { value: true });
const kinds = [Modern, Further, Classic];
`;

t.test('a descriptor that is no socket', async (t) => {
  const { stdout } = await onBothNets(
    t,
    `${KINDS}
    const { openSync } = require('node:fs');
    const { execFileSync } = require('node:child_process');
    (async () => {
      const path = folder + '/fifo';
      execFileSync('mkfifo', [path]);
      for (const Kind of kinds) {
        const socket = new Kind({ fd: openSync(path, 'r+') });
        log(Kind.name, socket.constructor === Kind, socket instanceof net.Socket, socket.loud);
        if (Kind !== Classic) log(socket instanceof Modern, socket instanceof Further);
        let text = '';
        for (socket.setEncoding('utf8'); !text.includes('LATER'); ) {
          if (text === '') socket.shout('later');
          text += (await once(socket, 'data'))[0];
        }
        log(text, socket.resumed, socket.bytesWritten, socket.readyState);
        socket.destroy();
        await once(socket, 'close');
        log(socket.destroyed, new net.Socket() instanceof Kind);
      }
    })();`,
  );
  t.match(stdout, /^Classic true true true$/m);
});

t.test('a handle that somebody has made', async (t) => {
  const { stdout } = await onBothNets(
    t,
    `${KINDS}
    const { spawn } = require('node:child_process');
    (async () => {
      for (const Kind of kinds) {
        const cat = spawn('cat');
        const { _handle } = cat.stdin;
        const socket = new Kind({ handle: _handle, readable: false });
        log(Kind.name, socket._handle === _handle, socket.loud, typeof socket.shout);
        socket.end();
        let text = '';
        for await (const chunk of cat.stdout) text += chunk;
        log(text, socket.bytesWritten, socket.destroyed);
      }
    })();`,
  );
  t.match(stdout, /^Classic true true function$/m);
});
