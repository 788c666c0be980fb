// MariaDB with TLS, and a user that has to use it.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the server carries out before it lets anybody in. */
const SETUP = `
CREATE DATABASE soref;
CREATE USER soref@'127.0.0.1' IDENTIFIED BY 'secret';
CREATE USER encrypted@'127.0.0.1' IDENTIFIED BY 'secret' REQUIRE SSL;
GRANT ALL ON *.* TO soref@'127.0.0.1';
GRANT ALL ON *.* TO encrypted@'127.0.0.1';
`;

export default {
  // The server without the service around it, and what sets its folder up.
  debianPackage: ['mariadb-server-core', 'mariadb-client-core'],
  program: 'mariadbd',
  needs: ['mariadb-install-db', 'my_print_defaults'],
  ports: ['port'],

  prepare({ folder }) {
    writeFileSync(
      join(folder, 'setup.sql'),
      SETUP.trim().replace(/\n/g, ' ').replace(/; /g, ';\n'),
    );
    const { status, stdout, stderr } = spawnSync(
      'mariadb-install-db',
      [
        ...['--no-defaults', `--datadir=${join(folder, 'data')}`, '--skip-test-db'],
        ...['--skip-name-resolve', '--auth-root-authentication-method=normal'],
        ...(process.getuid() === 0 ? ['--user=root'] : []),
        ...['--innodb-flush-method=nosync', '--innodb-log-file-size=8M'],
      ],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`mariadb-install-db: ${stdout}${stderr}`);
  },

  args: ({ folder, port, certificate }) => [
    ...['--no-defaults', `--datadir=${join(folder, 'data')}`, `--port=${port}`],
    ...['--bind-address=127.0.0.1', `--socket=${join(folder, 'socket')}`],
    ...[`--pid-file=${join(folder, 'pid')}`, `--init-file=${join(folder, 'setup.sql')}`],
    ...[`--ssl-key=${certificate.key}`, `--ssl-cert=${certificate.cert}`],
    ...['--skip-name-resolve', '--max-allowed-packet=64M', '--innodb-buffer-pool-size=32M'],
    ...['--innodb-flush-method=nosync', '--innodb-flush-log-at-trx-commit=0'],
    ...['--innodb-log-file-size=8M', ...(process.getuid() === 0 ? ['--user=root'] : [])],
  ],

  settings: () => ({ user: 'soref', password: 'secret', database: 'soref' }),
};
