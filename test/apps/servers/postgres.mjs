// PostgreSQL with TLS. It refuses to run as root, so root lends it the user that its package made.
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const VERSIONS = '/usr/lib/postgresql';

/** The newest version's program; Debian keeps them off the PATH. */
function program(name) {
  try {
    const newest = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a))[0];
    return join(VERSIONS, newest, 'bin', name);
  } catch {
    return join(VERSIONS, 'none', 'bin', name);
  }
}

export default {
  debianPackage: 'postgresql',
  get program() {
    return program('postgres');
  },
  user: 'postgres',
  ports: ['port'],
  // The default waits for clients to leave.
  stopSignal: 'SIGINT',

  prepare({ folder, asUser }) {
    const auth = [
      '--auth-host=scram-sha-256',
      '--auth-local=trust',
      `--pwfile=${join(folder, 'password')}`,
    ];
    writeFileSync(join(folder, 'password'), 'secret\n');
    const [command, ...args] = asUser(program('initdb'), [
      ...['-D', join(folder, 'data'), '-U', 'soref', '-E', 'UTF8', '--locale=C', '--no-sync'],
      ...auth,
    ]);
    const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`initdb: ${stderr}`);
  },

  args({ folder, port, certificate }) {
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: folder,
      fsync: 'off',
      ssl: 'on',
      ssl_key_file: certificate.key,
      ssl_cert_file: certificate.cert,
      max_connections: 60,
      shared_buffers: '32MB',
    };
    const options = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
    return ['-D', join(folder, 'data'), '-p', port, ...options];
  },

  settings: ({ folder }) => ({ folder, user: 'soref', password: 'secret', database: 'postgres' }),
};
