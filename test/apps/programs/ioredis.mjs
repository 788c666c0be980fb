// ioredis against Redis: plain, over TLS and on a Unix socket; pipelines, subscriptions, lost connections.
import { once } from 'node:events';
import Redis from 'ioredis';
import { cert, counterpart } from '../counterpart.mjs';
import { atOnce, digest, failure, payload, tell } from '../transcript.mjs';

const { port, tlsPort, path } = counterpart('redis');
const plain = { host: '127.0.0.1', port };
const encrypted = { host: '127.0.0.1', port: tlsPort, tls: { ca: cert, servername: 'localhost' } };
const local = { path };

async function commands(redis) {
  await redis.flushdb();
  tell(await redis.set('key', 'value'), await redis.get('key'), await redis.get('none'));
  const large = payload(8 << 20);
  await redis.set('large', large);
  tell('large', digest(await redis.getBuffer('large')));
  const pipeline = redis.pipeline();
  for (let index = 0; index < 5000; index++) pipeline.set(`p${index}`, index).get(`p${index}`);
  const results = await pipeline.exec();
  tell(
    'pipeline',
    results.length,
    results.reduce((sum, [, value]) => sum + (Number(value) || 0), 0),
  );
  const increments = await atOnce(1000, () => redis.incr('counter'));
  tell(
    'in order',
    increments.every((value, index) => value === index + 1),
  );
  tell('transaction', await redis.multi().set('a', 1).incr('a').exec());
  tell('wrong type', (await failure(() => redis.lpush('key', 1))).message);
  tell('script', await redis.eval('return {1, 2, ARGV[1]}', 0, 'three'));
}

async function subscriptions(options, redis) {
  const subscriber = new Redis(options);
  await subscriber.subscribe('news');
  const seen = [];
  const all = new Promise((resolve) => {
    subscriber.on('message', (_channel, message) => {
      seen.push(message);
      if (seen.length === 1000) resolve();
    });
  });
  for (let index = 0; index < 1000; index++) redis.publish('news', `message ${index}`);
  await all;
  tell('messages', digest(seen.join()));
  await subscriber.quit();
}

async function blocking(options, redis) {
  const waiting = new Redis(options);
  const popped = waiting.blpop('list', 0);
  await redis.rpush('list', 'item');
  tell('popped', await popped);
  waiting.disconnect();
}

async function lostConnection(options, redis) {
  const victim = new Redis({ ...options, retryStrategy: () => 5 });
  const id = await victim.client('ID');
  const reconnecting = once(victim, 'reconnecting');
  const ready = once(victim, 'ready');
  await redis.client('KILL', 'ID', id);
  await reconnecting;
  await ready;
  tell('again', await victim.ping(), (await victim.client('ID')) !== id);
  await victim.quit();
}

for (const [name, options] of Object.entries({ plain, encrypted, local })) {
  tell(`--- ${name}`);
  const redis = new Redis(options);
  await commands(redis);
  await subscriptions(options, redis);
  await blocking(options, redis);
  await lostConnection(options, redis);
  const clients = await atOnce(30, async (index) => {
    const client = new Redis(options);
    const answer = await client.echo(`client ${index}`);
    await client.quit();
    return answer;
  });
  tell('clients', digest(clients.join()));
  const ended = once(redis, 'end');
  tell(await redis.quit());
  await ended;
}
const refused = new Redis({ host: '127.0.0.1', port: 1, lazyConnect: true, retryStrategy: null });
refused.on('error', (error) => tell('error event', error));
tell('refused', (await failure(() => refused.connect())).message);
