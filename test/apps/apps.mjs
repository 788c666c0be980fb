// The programs that the runner knows, in the order in which it runs them: the name of a file in programs/, and the
// servers of servers/ that it needs. `inCi: false` leaves one to `npm run apps`, where time matters less.
export const apps = [
  { name: 'pg', servers: ['postgres'] },
  { name: 'ioredis', servers: ['redis'] },
  { name: 'mysql2', servers: ['mariadb'] },
  { name: 'mqtt', servers: ['mosquitto'] },
  { name: 'aedes' },
  { name: 'nats', servers: ['nats'] },
  { name: 'ws' },
];
