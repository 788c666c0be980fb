// Happy eyeballs: several addresses of a host are tried in turn until one connects.
import { once } from 'node:events';
import * as net from 'soref';
import t, { type Test } from 'tap';
import { hangingPort } from './hanging-listener';

type Answer = { address: string; family: number }[];

/** A lookup that answers with these addresses whatever is asked. */
function answering(answer: Answer) {
  return (_host: string, _options: object, callback: (...values: unknown[]) => void) =>
    process.nextTick(callback, null, answer);
}

async function serverOn(t: Test, host: string) {
  const server = net.createServer((socket) => socket.end()).listen(0, host);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as net.AddressInfo).port;
}

function connect(port: number, answer: Answer, options: object = {}) {
  return net.connect({
    port,
    host: 'example.org',
    autoSelectFamily: true,
    lookup: answering(answer),
    ...options,
  } as never) as net.Socket & { autoSelectFamilyAttemptedAddresses: string[] };
}

t.test('the second address serves when the first refuses', async (t) => {
  const port = await serverOn(t, '127.0.0.1');
  const events: unknown[][] = [];
  const socket = connect(port, [
    { address: '::1', family: 6 },
    { address: '127.0.0.1', family: 4 },
  ]);
  for (const event of ['lookup', 'connectionAttempt', 'connectionAttemptFailed', 'connect']) {
    socket.on(event, (...values: unknown[]) => {
      events.push([event, ...values.slice(0, event === 'lookup' ? 4 : 3)]);
    });
  }
  await once(socket, 'connect');
  t.strictSame(events, [
    ['lookup', null, '::1', 6, 'example.org'],
    ['lookup', null, '127.0.0.1', 4, 'example.org'],
    ['connectionAttempt', '::1', port, 6],
    ['connectionAttemptFailed', '::1', port, 6],
    ['connectionAttempt', '127.0.0.1', port, 4],
    ['connect'],
  ]);
  t.strictSame(socket.autoSelectFamilyAttemptedAddresses, [`::1:${port}`, `127.0.0.1:${port}`]);
  socket.resume();
  await once(socket, 'close');
});

t.test('families take turns, and an address is tried once', async (t) => {
  const port = await serverOn(t, '127.0.0.3');
  const socket = connect(port, [
    { address: '127.0.0.1', family: 4 },
    { address: '127.0.0.1', family: 4 },
    { address: '127.0.0.3', family: 4 },
    { address: 'none', family: 4 },
    { address: '::1', family: 6 },
  ]);
  await once(socket, 'connect');
  t.strictSame(
    socket.autoSelectFamilyAttemptedAddresses,
    ['127.0.0.1', '::1', '127.0.0.3'].map((address) => `${address}:${port}`),
  );
  socket.resume();
  await once(socket, 'close');
});

t.test('all errors together when every address refuses', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  const socket = connect(port, [
    { address: '127.0.0.1', family: 4 },
    { address: '127.0.0.2', family: 4 },
  ]);
  const [error] = await once(socket, 'error');
  t.equal(error.constructor, AggregateError);
  t.equal(error.code, 'ECONNREFUSED');
  t.strictSame(
    error.errors.map((one: Error) => one.message),
    [`connect ECONNREFUSED 127.0.0.1:${port}`, `connect ECONNREFUSED 127.0.0.2:${port}`],
  );
});

t.test('an attempt that hangs gives way after its time', async (t) => {
  const port = await hangingPort(t, '127.0.0.2');
  const server = net.createServer((socket) => socket.end()).listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const events: unknown[][] = [];
  const started = performance.now();
  const socket = connect(
    port,
    [
      { address: '127.0.0.2', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ],
    { autoSelectFamilyAttemptTimeout: 60 },
  );
  for (const event of ['', 'Timeout', 'Failed'].map((end) => `connectionAttempt${end}`)) {
    socket.on(event, (...values: unknown[]) => events.push([event, ...values]));
  }
  await once(socket, 'connect');
  t.ok(performance.now() - started >= 59, 'not before its time');
  t.equal(socket.remoteAddress, '127.0.0.1');
  socket.resume();
  await once(socket, 'close');
  t.strictSame(events, [
    ['connectionAttempt', '127.0.0.2', port, 4],
    ['connectionAttemptTimeout', '127.0.0.2', port, 4],
    ['connectionAttempt', '127.0.0.1', port, 4],
  ]);

  const alone = connect(
    port,
    [
      { address: '127.0.0.2', family: 4 },
      { address: '127.0.0.3', family: 4 },
    ],
    { autoSelectFamilyAttemptTimeout: 20 },
  );
  const [error] = await once(alone, 'error');
  t.strictSame(
    error.errors.map((one: NodeJS.ErrnoException) => one.code),
    ['ETIMEDOUT', 'ECONNREFUSED'],
  );
});

t.test('a socket that a listener destroys is not tried further', async (t) => {
  const port = await serverOn(t, '127.0.0.1');
  const answer = [
    { address: '::1', family: 6 },
    { address: '127.0.0.1', family: 4 },
  ];
  for (const event of ['connectionAttempt', 'connectionAttemptFailed']) {
    const socket = connect(port, answer);
    let attempts = 0;
    socket.on('connectionAttempt', () => {
      attempts += 1;
    });
    socket.on('connect', () => t.fail('it must not connect'));
    socket.once(event, () => socket.destroy());
    await once(socket, 'close');
    await new Promise((resolve) => setTimeout(resolve, 20));
    t.strictSame([event, attempts, socket.destroyed], [event, 1, true]);
  }
});

t.test('the defaults', async (t) => {
  const enabled = net.getDefaultAutoSelectFamily();
  const timeout = net.getDefaultAutoSelectFamilyAttemptTimeout();
  t.teardown(() => {
    net.setDefaultAutoSelectFamily(enabled);
    net.setDefaultAutoSelectFamilyAttemptTimeout(timeout);
  });
  net.setDefaultAutoSelectFamily(!enabled);
  t.equal(net.getDefaultAutoSelectFamily(), !enabled);
  net.setDefaultAutoSelectFamilyAttemptTimeout(1);
  t.equal(net.getDefaultAutoSelectFamilyAttemptTimeout(), 10, 'not below 10 ms');
  t.throws(() => net.setDefaultAutoSelectFamily(1 as never), {
    message: 'The "value" argument must be of type boolean. Received type number (1)',
  });
  t.throws(() => net.setDefaultAutoSelectFamilyAttemptTimeout(0), {
    code: 'ERR_OUT_OF_RANGE',
    message: 'The value of "value" is out of range. It must be >= 1 && <= 2147483647. Received 0',
  });
});
