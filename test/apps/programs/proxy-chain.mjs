// proxy-chain, a forward proxy, alone and through a second one: plain requests, tunnels by CONNECT, log-in, and targets
// that are not there.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import { Server } from 'proxy-chain';
import { cert, key } from '../counterpart.mjs';
import { atOnce, digest, payload, tell } from '../transcript.mjs';
import { request } from '../web-client.mjs';

async function answer(req, res) {
  if (req.url === '/large') return res.end(payload(5 << 20));
  return res.end(`${req.method} ${req.url} ${digest(Buffer.concat(await req.toArray()))}`);
}

function listen(server) {
  server.listen(0, '127.0.0.1');
  return once(server, 'listening').then(() => server.address().port);
}

/** A tunnel to the target; its status if the proxy refuses. */
async function tunnel(proxyPort, target, authorization = {}) {
  const connecting = http.request({
    port: proxyPort,
    host: '127.0.0.1',
    method: 'CONNECT',
    path: target,
    headers: authorization,
    agent: false,
  });
  connecting.end();
  const [response, socket] = await once(connecting, 'connect');
  if (response.statusCode === 200) return { socket };
  socket.destroy();
  return { status: response.statusCode };
}

async function throughTunnel(proxyPort, targetPort, path, authorization) {
  const { socket, status } = await tunnel(proxyPort, `localhost:${targetPort}`, authorization);
  if (socket === undefined) return status;
  const secure = tls.connect({ socket, ca: cert, servername: 'localhost' });
  secure.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  const bytes = Buffer.concat(await secure.toArray());
  return digest(bytes.subarray(bytes.indexOf('\r\n\r\n') + 4));
}

const web = http.createServer(answer);
const secure = https.createServer({ key, cert }, answer);
const [webPort, securePort] = [await listen(web), await listen(secure)];

const outer = new Server({ port: 0, host: '127.0.0.1' });
await outer.listen();
const guarded = new Server({
  port: 0,
  host: '127.0.0.1',
  prepareRequestFunction: ({ username, password }) => ({
    requestAuthentication: username !== 'soref' || password !== 'secret',
    upstreamProxyUrl: `http://127.0.0.1:${outer.port}`,
  }),
});
await guarded.listen();
const login = { 'proxy-authorization': `Basic ${Buffer.from('soref:secret').toString('base64')}` };

for (const [name, { port }, headers] of [
  ['direct', outer, {}],
  ['chained', guarded, login],
]) {
  tell(`--- ${name}`);
  const url = (path) => `http://127.0.0.1:${webPort}${path}`;
  tell((await request(port, url('/hello'), { headers })).text);
  tell(digest((await request(port, url('/large'), { headers })).bytes));
  const post = { headers, method: 'POST', body: payload(3 << 20) };
  tell((await request(port, url('/post'), post)).text);
  const many = await atOnce(60, (index) => request(port, url(`/${index}`), { headers }));
  tell('many', digest(many.map(({ text }) => text).join()));
  tell('tunnel', await throughTunnel(port, securePort, '/large', headers));
  const tunnels = await atOnce(30, (index) =>
    throughTunnel(port, securePort, `/${index}`, headers),
  );
  tell('tunnels', digest(tunnels.join()));
  tell('nobody', (await request(port, 'http://127.0.0.1:1/', { headers })).status);
  const refused = await tunnel(port, '127.0.0.1:1', headers).catch((error) => error);
  tell('nobody by tunnel', refused.status ?? refused.code);
}
tell('without log-in', (await request(guarded.port, `http://127.0.0.1:${webPort}/`)).status);
tell('without log-in, by tunnel', (await tunnel(guarded.port, `localhost:${securePort}`)).status);
await guarded.close(true);
await outer.close(true);
// The proxies kept its connections, which do not keep the process.
http.globalAgent.destroy();
for (const server of [web, secure]) {
  server.closeAllConnections();
  server.close();
}
