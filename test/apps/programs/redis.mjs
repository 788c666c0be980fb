// redis, the client of the Redis project: pipelining by itself, subscriptions, pools, time-outs, lost connections.
import { createClient, createClientPool } from 'redis';
import { cert, counterpart } from '../counterpart.mjs';
import { atOnce, digest, failure, next, tell, text } from '../transcript.mjs';

const { port, tlsPort, path } = counterpart('redis');
const variants = {
  plain: { host: '127.0.0.1', port },
  encrypted: { host: 'localhost', port: tlsPort, tls: true, ca: cert },
  local: { path },
};
for (const [name, socket] of Object.entries(variants)) {
  tell(`--- ${name}`);
  const options = { socket: { ...socket, reconnectStrategy: 5 }, database: 3 };
  const client = createClient(options);
  client.on('error', (error) => tell('error event', error.constructor.name));
  await client.connect();
  await client.flushDb();
  const values = await atOnce(1000, (index) => client.incrBy('sum', index));
  tell('pipelined', values.at(-1));
  await client.set('large', text(5 << 20));
  tell('large', digest(await client.get('large')));
  tell('hash', await client.hSet('hash', { a: '1', b: '2' }), {
    ...(await client.hGetAll('hash')),
  });
  tell('transaction', await client.multi().set('x', '1').incr('x').exec());

  const subscriber = client.duplicate();
  await subscriber.connect();
  const heard = [];
  const all = new Promise((resolve) => {
    subscriber
      .subscribe('news', (message) => {
        heard.push(message);
        if (heard.length === 500) resolve();
      })
      .then(() => atOnce(500, (index) => client.publish('news', `message ${index}`)));
  });
  await all;
  tell('heard', digest(heard.join()));
  await subscriber.close();

  const pool = createClientPool(options, { minimum: 2, maximum: 6 });
  pool.on('error', () => {});
  await pool.connect();
  const echoes = await atOnce(200, (index) => pool.echo(String(index)));
  tell('pool', digest(echoes.join()));
  await pool.close();

  const id = await client.clientId();
  const admin = await client.duplicate().connect();
  const again = next(client, 'ready');
  await admin.sendCommand(['CLIENT', 'KILL', 'ID', String(id)]);
  await again;
  tell('again', await client.ping());
  await Promise.all([client.close(), admin.close()]);
}
const refused = createClient({ socket: { host: '127.0.0.1', port: 1, reconnectStrategy: false } });
refused.on('error', () => {});
tell('refused', await failure(() => refused.connect()));
