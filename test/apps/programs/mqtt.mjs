// mqtt against the Mosquitto broker: plain, over TLS, and within WebSocket.
import { cert, counterpart } from '../counterpart.mjs';
import { session } from '../mqtt-session.mjs';

const { port, tlsPort, webSocketPort } = counterpart('mosquitto');

await session('plain', `mqtt://127.0.0.1:${port}`, {});
await session('encrypted', `mqtts://localhost:${tlsPort}`, { ca: cert });
await session('MQTT 5', `mqtt://127.0.0.1:${port}`, { protocolVersion: 5 });
// Mosquitto's WebSocket passes on no messages of megabytes.
await session('WebSocket', `ws://127.0.0.1:${webSocketPort}`, {}, 30_000);
