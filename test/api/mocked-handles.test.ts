// Programs that reach for `socket._handle`. Those that mock connections put methods of their own on it, and tell the
// results themselves; others give it to another socket.
import t from 'tap';
import { onBothNets } from './both-nets';

t.test('a connect that the handle never makes', async (t) => {
  const { stdout } = await onBothNets(
    t,
    `
    async function mocked(answer, ...destination) {
      const socket = new net.Socket();
      socket._read = () => {};
      socket.once('connectionAttempt', () => {
        const { _handle } = socket;
        _handle.connect = _handle.connect6 = (request, ...where) => {
          log('asked for', where);
          setImmediate(() => request.oncomplete(answer, _handle, request, true, true));
        };
        _handle.getpeername = (out) => {
          Object.assign(out, { address: '192.0.2.1', family: 'IPv4', port: 7 });
          return 0;
        };
      });
      socket.on('error', ({ message }) => log(message));
      socket.connect(...destination);
      for (const name of ['connect', 'finish', 'close']) socket.on(name, () => log(name));
      if (answer === 0) {
        await once(socket, 'connect');
        log(socket.remoteAddress, socket.remotePort, socket.readyState, socket.connecting);
        socket.end();
        await once(socket, 'finish');
        socket.destroy();
      }
      await once(socket, 'close').catch(() => {});
    }
    const lookup = (host, { all }, found) => {
      const addresses = ['192.0.2.2', '192.0.2.3'].map((address) => ({ address, family: 4 }));
      process.nextTick(() => (all ? found(null, addresses) : found(null, '192.0.2.2', 4)));
    };
    (async () => {
      const { ECONNREFUSED } = require('node:os').constants.errno;
      for (const answer of [0, -ECONNREFUSED]) {
        await mocked(answer, 7, '192.0.2.1');
        await mocked(answer, { port: 7, host: 'a.example', lookup, autoSelectFamily: false });
        await mocked(answer, '/nowhere');
      }
      await mocked(0, { port: 7, host: 'a.example', lookup, autoSelectFamily: true });
    })();`,
  );
  t.match(stdout, /^asked for 192\.0\.2\.1,7$/m);
  t.match(stdout, /^asked for \/nowhere$/m);
});

t.test('a handle that gets another owner while it writes', async (t) => {
  const { stdout } = await onBothNets(
    t,
    `
    (async () => {
      const { clients: [client], sockets: [socket], server } = await connections(1, { pauseOnConnect: true });
      client.write(Buffer.alloc(20_000_000), (error) => {
        log('written', error ?? 'well');
        next.destroy();
        server.close();
      });
      const next = new net.Socket({ handle: client._handle });
      setImmediate(() => socket.resume());
    })();`,
  );
  t.equal(stdout, 'written well\n');
});
