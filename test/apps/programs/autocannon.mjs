// autocannon as load on an http and an https server: many connections, pipelining, bodies; counts, and no speeds.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import autocannon from 'autocannon';
import { cert, key } from '../counterpart.mjs';
import { payload, tell } from '../transcript.mjs';

const body = payload(1000);

async function serve(req, res) {
  if (req.method === 'POST') return res.end(String(Buffer.concat(await req.toArray()).length));
  return res.end(body);
}

const loads = {
  'many connections': { connections: 100, amount: 1000 },
  pipelining: { connections: 10, pipelining: 10, amount: 1000 },
  bodies: { connections: 20, amount: 200, method: 'POST', body: payload(50_000) },
};
for (const [scheme, server] of [
  ['http', http.createServer(serve)],
  ['https', https.createServer({ key, cert }, serve)],
]) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `${scheme}://localhost:${server.address().port}/`;
  for (const [name, load] of Object.entries(loads)) {
    const result = await autocannon({ url, tlsOptions: { ca: cert }, ...load });
    const { '2xx': good, non2xx, errors, timeouts, mismatches } = result;
    tell(scheme, name, { good, non2xx, errors, timeouts, mismatches });
  }
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}
