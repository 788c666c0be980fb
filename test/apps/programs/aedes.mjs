// The broker aedes, in this process, on a net and a tls server, with mqtt's clients.
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { Aedes } from 'aedes';
import { cert, key } from '../counterpart.mjs';
import { session } from '../mqtt-session.mjs';
import { tell } from '../transcript.mjs';

const broker = await Aedes.createBroker();
const plain = net.createServer(broker.handle).listen(0, '127.0.0.1');
const encrypted = tls.createServer({ key, cert }, broker.handle).listen(0, '127.0.0.1');
await Promise.all([once(plain, 'listening'), once(encrypted, 'listening')]);

await session('plain', `mqtt://127.0.0.1:${plain.address().port}`, {});
await session('encrypted', `mqtts://localhost:${encrypted.address().port}`, { ca: cert });

const closed = Promise.all([plain, encrypted].map((server) => once(server, 'close')));
plain.close();
encrypted.close();
await new Promise((resolve) => broker.close(resolve));
await closed;
tell('clients left', broker.connectedClients);
