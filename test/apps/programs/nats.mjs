// nats against nats-server: plain, and over TLS, which takes over a connection that has already greeted.
import { connect, StringCodec } from 'nats';
import { certificateFiles, counterpart } from '../counterpart.mjs';
import { atOnce, digest, failure, payload, tell } from '../transcript.mjs';

const { port } = counterpart('nats');
const codec = StringCodec();
const plain = { servers: `127.0.0.1:${port}`, tls: null };
const encrypted = { servers: `localhost:${port}`, tls: { caFile: certificateFiles.cert } };

async function publish(connection, other) {
  const subscription = connection.subscribe('news', { max: 2000 });
  await connection.flush();
  for (let index = 0; index < 2000; index++)
    other.publish('news', codec.encode(`message ${index}`));
  const seen = [];
  for await (const { data } of subscription) seen.push(codec.decode(data));
  tell('messages', digest(seen.join()));
}

async function requests(connection, other) {
  connection.subscribe('double', {
    callback: (_, message) => message.respond(codec.encode(String(2 * codec.decode(message.data)))),
  });
  connection.subscribe('echo', { callback: (_, message) => message.respond(message.data) });
  await connection.flush();
  const answers = await atOnce(300, async (index) => {
    const { data } = await other.request('double', codec.encode(String(index)));
    return Number(codec.decode(data));
  });
  tell(
    'requests',
    answers.reduce((sum, n) => sum + n, 0),
  );
  const { data } = await other.request('echo', payload(7 << 20), { timeout: 10_000 });
  tell('large', digest(data));
  const unanswered = await failure(() => other.request('nobody', codec.encode('?')));
  tell('nobody', unanswered);
  const tooLarge = await failure(async () => other.publish('news', new Uint8Array(9 << 20)));
  tell('too large', tooLarge);
}

async function stored(connection, name) {
  const manager = await connection.jetstreamManager();
  await manager.streams.add({ name, subjects: [`${name}.>`] });
  const stream = connection.jetstream();
  const acks = await atOnce(200, (index) => stream.publish(`${name}.x`, codec.encode(`${index}`)));
  tell(
    'stored',
    acks
      .map(({ seq }) => seq)
      .sort((a, b) => a - b)
      .at(-1),
  );
  const values = await stream.views.kv(`${name}-values`);
  await values.put('key', codec.encode('value'));
  tell('value', codec.decode((await values.get('key')).value));
  await values.destroy();
  await manager.streams.delete(name);
}

for (const [name, options] of Object.entries({ plain, encrypted })) {
  tell(`--- ${name}`);
  const [connection, other] = await atOnce(2, () => connect(options));
  await publish(connection, other);
  await requests(connection, other);
  await stored(connection, `soref-${name}`);
  await Promise.all([connection.drain(), other.drain()]);
  tell('closed', connection.isClosed());
  const many = await atOnce(40, () => connect(options));
  await Promise.all(many.map((each) => each.flush()));
  await Promise.all(many.map((each) => each.close()));
  tell('many', many.length);
}
const refused = await failure(() => connect({ servers: '127.0.0.1:1', reconnect: false }));
tell('refused', refused);
