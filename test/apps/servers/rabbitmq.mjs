// RabbitMQ, plain and with TLS. Its Erlang machine asks the port mapper epmd for names, of which it gets one of its own:
// the usual one would outlive it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server';

export default {
  debianPackage: 'rabbitmq-server',
  program: SERVER,
  launcher: ['sh', '-c', 'setpriv --pdeathsig KILL epmd & exec "$0" "$@"'],
  ports: ['port', 'tlsPort', 'epmdPort', 'distributionPort'],

  prepare({ folder, port, tlsPort, certificate }) {
    const lines = [
      `listeners.tcp.1 = 127.0.0.1:${port}`,
      `listeners.ssl.1 = 127.0.0.1:${tlsPort}`,
      `ssl_options.certfile = ${certificate.cert}`,
      `ssl_options.keyfile = ${certificate.key}`,
      'ssl_options.verify = verify_none',
      'frame_max = 131072',
    ];
    writeFileSync(join(folder, 'rabbitmq.conf'), `${lines.join('\n')}\n`);
    writeFileSync(join(folder, 'plugins'), '[].\n');
  },

  environment: ({ folder, port, epmdPort, distributionPort }) => ({
    HOME: folder,
    ERL_EPMD_PORT: epmdPort,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `soref-${port}@localhost`,
    RABBITMQ_DIST_PORT: distributionPort,
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_MNESIA_BASE: folder,
    RABBITMQ_LOG_BASE: folder,
    // So it becomes the process that was started, and is not a child of that.
    RABBITMQ_ALLOW_INPUT: '1',
    RABBITMQ_SERVER_START_ARGS: '-noinput',
  }),
  args: () => [],
};
