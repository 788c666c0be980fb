// The Mosquitto broker: MQTT, MQTT over TLS, and MQTT over WebSocket.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export default {
  debianPackage: 'mosquitto',
  program: 'mosquitto',
  ports: ['port', 'tlsPort', 'webSocketPort'],
  prepare({ folder, port, tlsPort, webSocketPort, certificate }) {
    const tls = [`keyfile ${certificate.key}`, `certfile ${certificate.cert}`];
    const lines = [
      ...['allow_anonymous true', 'persistence false', 'log_type error'],
      // With a limit this version forgets messages of QoS 2 beyond it.
      'max_inflight_messages 0',
      ...(process.getuid() === 0 ? ['user root'] : []),
      `listener ${port} 127.0.0.1`,
      ...[`listener ${tlsPort} 127.0.0.1`, ...tls],
      ...[`listener ${webSocketPort} 127.0.0.1`, 'protocol websockets'],
    ];
    writeFileSync(join(folder, 'mosquitto.conf'), `${lines.join('\n')}\n`);
  },
  args: ({ folder }) => ['-c', join(folder, 'mosquitto.conf')],
};
