// HAProxy in front of servers of the program's. To one it speaks HTTP, to the others it passes bytes on,
// after a PROXY line (version 1), a PROXY header (version 2), or neither.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FORWARDED = [
  ['first', 'send-proxy'],
  ['second', 'send-proxy-v2'],
  ['bare', ''],
];

export default {
  debianPackage: 'haproxy',
  program: 'haproxy',
  ports: ['httpPort', 'firstPort', 'secondPort', 'barePort', 'httpBackend', 'bytesBackend'],
  prepare({ folder, httpPort, httpBackend, bytesBackend, ...ports }) {
    const forwarded = FORWARDED.map(
      ([name, option]) => `
listen ${name}
  mode tcp
  bind 127.0.0.1:${ports[`${name}Port`]}
  server one 127.0.0.1:${bytesBackend} ${option}`,
    );
    writeFileSync(
      join(folder, 'haproxy.cfg'),
      `global
  maxconn 1000
defaults
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen http
  mode http
  bind 127.0.0.1:${httpPort}
  option forwardfor
  server one 127.0.0.1:${httpBackend}
${forwarded.join('\n')}\n`,
    );
  },
  args: ({ folder }) => ['-db', '-q', '-f', join(folder, 'haproxy.cfg')],
};
