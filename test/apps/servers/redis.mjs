// Redis, plain, with TLS, and on a Unix socket.
import { join } from 'node:path';

export default {
  debianPackage: 'redis-server',
  program: 'redis-server',
  ports: ['port', 'tlsPort'],
  args: ({ folder, port, tlsPort, certificate }) => [
    ...['--port', port, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'],
    ...['--unixsocket', join(folder, 'socket'), '--tls-port', tlsPort, '--tls-auth-clients', 'no'],
    ...['--tls-key-file', certificate.key, '--tls-cert-file', certificate.cert],
    ...['--tls-ca-cert-file', certificate.cert],
  ],
  settings: ({ folder }) => ({ path: join(folder, 'socket') }),
};
