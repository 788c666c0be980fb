// OpenSSH's server. It lets in the user who runs the tests, by a key that is made here.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';

function makeKey(path) {
  const { status, stderr } = spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
  if (status !== 0) throw new Error(`ssh-keygen: ${stderr}`);
}

export default {
  debianPackage: 'openssh-server',
  // It starts itself again for each connection, and so has to know where it is.
  program: '/usr/sbin/sshd',
  ports: ['port'],
  prepare({ folder, port }) {
    // Where it drops its privileges; the service's start makes it elsewhere.
    if (process.getuid() === 0) mkdirSync('/run/sshd', { recursive: true });
    makeKey(join(folder, 'host_key'));
    makeKey(join(folder, 'user_key'));
    const lines = [
      ...['ListenAddress 127.0.0.1', `Port ${port}`, `HostKey ${join(folder, 'host_key')}`],
      ...[`AuthorizedKeysFile ${join(folder, 'user_key.pub')}`, 'StrictModes no', 'UsePAM no'],
      ...['PermitRootLogin prohibit-password', 'PasswordAuthentication no'],
      ...[`PidFile ${join(folder, 'pid')}`, 'Subsystem sftp internal-sftp', 'PrintMotd no'],
      ...['AllowTcpForwarding yes', 'MaxStartups 100', 'MaxSessions 100', 'PrintLastLog no'],
    ];
    writeFileSync(join(folder, 'sshd_config'), `${lines.join('\n')}\n`);
  },
  args: ({ folder }) => ['-D', '-e', '-f', join(folder, 'sshd_config')],
  settings: ({ folder }) => ({
    username: userInfo().username,
    keyFile: join(folder, 'user_key'),
    hostKeyFile: join(folder, 'host_key.pub'),
    folder,
  }),
};
