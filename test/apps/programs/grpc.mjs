// @grpc/grpc-js with itself: all four kinds of calls, plain and over TLS, large messages, deadlines, cancellation.
import { join } from 'node:path';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';
import { cert, key } from '../counterpart.mjs';
import { atOnce, digest, failure, payload, tell } from '../transcript.mjs';

const definition = loader.loadSync(join(import.meta.dirname, 'echo.proto'));
const { Echo } = grpc.loadPackageDefinition(definition).soref;
const LIMITS = { 'grpc.max_receive_message_length': 64 << 20, 'grpc.max_send_message_length': -1 };

const implementation = {
  once({ request }, answer) {
    if (request.number === -1) return;
    if (request.number === -2)
      return answer({ code: grpc.status.NOT_FOUND, details: 'nothing there' });
    answer(null, { data: request.data, number: request.number * 2 });
  },
  collect(call, answer) {
    const parts = [];
    call.on('data', ({ data }) => parts.push(data));
    call.on('end', () => answer(null, { data: Buffer.concat(parts), number: parts.length }));
  },
  spread(call) {
    for (let number = 0; number < call.request.number; number++) {
      call.write({ data: payload(10_000, number), number });
    }
    call.end();
  },
  both(call) {
    call.on('data', (message) => call.write(message));
    call.on('end', () => call.end());
  },
};

function once(client, message, options = {}) {
  return new Promise((resolve, reject) => {
    client.once(message, options, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

async function calls(client) {
  tell('once', (await once(client, { number: 21 })).number);
  tell('large', digest((await once(client, { data: payload(12 << 20) })).data));
  const answers = await atOnce(200, (number) =>
    once(client, { number, data: payload(500, number) }),
  );
  tell(
    'many',
    answers.reduce((sum, { number }) => sum + number, 0),
  );
  const collected = await new Promise((resolve, reject) => {
    const call = client.collect((error, answer) => (error ? reject(error) : resolve(answer)));
    for (let number = 0; number < 300; number++) call.write({ data: payload(9000, number) });
    call.end();
  });
  tell('collected', collected.number, digest(collected.data));
  const spread = await client.spread({ number: 500 }).toArray();
  tell('spread', spread.length, digest(Buffer.concat(spread.map(({ data }) => data))));
  const duplex = client.both();
  for (let number = 0; number < 500; number++) duplex.write({ number });
  duplex.end();
  tell('both', (await duplex.toArray()).map(({ number }) => number).join().length);
  const missing = await failure(() => once(client, { number: -2 }));
  tell('missing', missing.code, missing.details);
  const late = await failure(() => once(client, { number: -1 }, { deadline: Date.now() + 100 }));
  tell('late', late.code);
  const cancelled = await failure(
    () =>
      new Promise((resolve, reject) => {
        const call = client.once({ number: -1 }, (error) => (error ? reject(error) : resolve()));
        setTimeout(() => call.cancel(), 20);
      }),
  );
  tell('cancelled', cancelled.code);
}

const pair = [{ private_key: Buffer.from(key), cert_chain: Buffer.from(cert) }];
for (const [name, forServer, forClient] of [
  ['plain', grpc.ServerCredentials.createInsecure(), grpc.credentials.createInsecure()],
  [
    'TLS',
    grpc.ServerCredentials.createSsl(null, pair),
    grpc.credentials.createSsl(Buffer.from(cert)),
  ],
]) {
  tell(`--- ${name}`);
  const server = new grpc.Server(LIMITS);
  server.addService(Echo.service, implementation);
  const port = await new Promise((resolve, reject) => {
    server.bindAsync('localhost:0', forServer, (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const client = new Echo(`localhost:${port}`, forClient, LIMITS);
  await calls(client);
  const others = await atOnce(
    15,
    () =>
      new Echo(`localhost:${port}`, forClient, { ...LIMITS, 'grpc.use_local_subchannel_pool': 1 }),
  );
  const sums = await Promise.all(others.map((other, number) => once(other, { number })));
  tell('clients', sums.map(({ number }) => number).join());
  for (const other of others) other.close();

  // The server goes away: calls fail, until another one listens there.
  server.forceShutdown();
  tell('gone', (await failure(() => once(client, { number: 1 }))).code);
  const again = new grpc.Server(LIMITS);
  again.addService(Echo.service, implementation);
  await new Promise((resolve, reject) => {
    again.bindAsync(`localhost:${port}`, forServer, (error) => (error ? reject(error) : resolve()));
  });
  const patient = { waitForReady: true };
  const deadline = Date.now() + 20_000;
  const metadata = new grpc.Metadata(patient);
  const answer = await new Promise((resolve, reject) => {
    client.once({ number: 4 }, metadata, { deadline }, (error, value) =>
      error ? reject(error) : resolve(value),
    );
  });
  tell('back', answer.number);
  client.close();
  await new Promise((resolve) => again.tryShutdown(resolve));
}
