// A NATS server with JetStream, whose clients may upgrade their connections to TLS.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export default {
  debianPackage: 'nats-server',
  program: 'nats-server',
  ports: ['port', 'webSocketPort'],
  prepare({ folder, port, webSocketPort, certificate }) {
    const lines = [
      `listen: 127.0.0.1:${port}`,
      'max_payload: 8MB',
      `jetstream { store_dir: "${join(folder, 'jetstream')}" }`,
      `tls { cert_file: "${certificate.cert}", key_file: "${certificate.key}" }`,
      'allow_non_tls: true',
      `websocket { listen: "127.0.0.1:${webSocketPort}", no_tls: true }`,
    ];
    writeFileSync(join(folder, 'nats.conf'), `${lines.join('\n')}\n`);
  },
  args: ({ folder }) => ['-c', join(folder, 'nats.conf')],
};
