// axios on Node's http and https: JSON, large bodies, streams, forms, redirects, cancellation, errors.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import axios from 'axios';
import { cert, key } from '../counterpart.mjs';
import { atOnce, digest, failure, payload, tell } from '../transcript.mjs';

async function serve(req, res) {
  const body = Buffer.concat(await req.toArray());
  if (req.url === '/json')
    return res.setHeader('content-type', 'application/json').end('{"a":[1,2]}');
  if (req.url === '/large') return res.end(payload(7 << 20));
  if (req.url === '/redirect') return res.writeHead(307, { location: '/there' }).end();
  if (req.url === '/fails') return res.writeHead(500).end('failed');
  if (req.url === '/cut') return req.socket.destroy();
  if (req.url === '/silent') return undefined;
  return res.end(`${req.method} ${req.url} ${digest(body)}`);
}

async function requests(client) {
  tell((await client.get('/json')).data);
  const responseType = 'arraybuffer';
  tell(digest((await client.get('/large', { responseType })).data));
  const { data } = await client.get('/large', { responseType: 'stream' });
  tell(digest(Buffer.concat(await data.toArray())));
  tell((await client.post('/post', payload(9 << 20), { maxBodyLength: Infinity })).data);
  const upload = Readable.from(Array.from({ length: 300 }, (_, index) => payload(6000, index)));
  tell((await client.post('/stream', upload, { maxRedirects: 0 })).data);
  tell((await client.put('/redirect', 'body')).data);
  const failed = await failure(() => client.get('/fails'));
  tell('status', failed.response.status, failed.code);
  tell('cut', await failure(() => client.get('/cut')));
  tell('time-out', await failure(() => client.get('/silent', { timeout: 50 })));
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 30);
  tell('cancelled', await failure(() => client.get('/silent', { signal: controller.signal })));
  const answers = await atOnce(80, (index) => client.get(`/many/${index}`));
  tell('many', digest(answers.map((answer) => answer.data).join()));
}

for (const [scheme, server] of [
  ['http', http.createServer(serve)],
  ['https', https.createServer({ key, cert }, serve)],
]) {
  tell(`--- ${scheme}`);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseURL = `${scheme}://localhost:${server.address().port}`;
  for (const keepAlive of [false, true]) {
    tell('keep-alive', keepAlive);
    const httpAgent = new http.Agent({ keepAlive, maxSockets: 20 });
    const httpsAgent = new https.Agent({ keepAlive, ca: cert, maxSockets: 20 });
    await requests(axios.create({ baseURL, httpAgent, httpsAgent }));
    httpAgent.destroy();
    httpsAgent.destroy();
  }
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}
tell('refused', await failure(() => axios.get('http://127.0.0.1:1/')));
