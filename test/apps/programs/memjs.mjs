// memjs against memcached: the binary protocol, large values, many at once, and a server that is not there.
import memjs from 'memjs';
import { counterpart } from '../counterpart.mjs';
import { atOnce, digest, failure, payload, tell } from '../transcript.mjs';

const { port } = counterpart('memcached');
const client = memjs.Client.create(`127.0.0.1:${port}`, { timeout: 10, retries: 1 });

await client.flush();
tell('set', await client.set('key', 'value', {}));
tell('get', String((await client.get('key')).value));
tell('missing', (await client.get('nothing')).value);
tell('add again', await client.add('key', 'other', {}));
await client.set('large', payload(8 << 20), {});
tell('large', digest((await client.get('large')).value));
const stored = await atOnce(500, (index) => client.set(`key-${index}`, payload(500, index), {}));
tell('stored', stored.every(Boolean));
const values = await atOnce(500, async (index) => digest((await client.get(`key-${index}`)).value));
tell('values', digest(values.join()));
const counts = await atOnce(200, () => client.increment('count', 2, { initial: 10 }));
tell('count', counts.at(-1).value);
tell('deleted', await client.delete('key'), (await client.get('key')).value);
const clients = await atOnce(30, async (index) => {
  const other = memjs.Client.create(`127.0.0.1:${port}`);
  const { value } = await other.get(`key-${index}`);
  other.close();
  return digest(value);
});
tell('clients', digest(clients.join()));
client.close();
const nobody = memjs.Client.create('127.0.0.1:1', { timeout: 5, retries: 1 });
tell('nobody', (await failure(() => nobody.get('key'))).message.replace(/^.*?(ECONN\w+).*$/, '$1'));
nobody.close();
