// nginx in front of a server of the program's, which listens on `backendPort` or on `backendPath`.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export default {
  debianPackage: 'nginx',
  program: 'nginx',
  ports: ['port', 'tlsPort', 'backendPort'],
  prepare({ folder, port, tlsPort, backendPort, certificate }) {
    for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) mkdirSync(join(folder, name));
    // The workers' user has to reach the backend's socket.
    chmodSync(folder, 0o755);
    const upstreamHeaders = `proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;`;
    const locations = `
      location / { proxy_pass http://tcp; ${upstreamHeaders} }
      location /unbuffered/ { proxy_pass http://tcp; proxy_buffering off; proxy_request_buffering off; ${upstreamHeaders} }
      location /path/ { proxy_pass http://path; ${upstreamHeaders} }
      location /socket {
        proxy_pass http://tcp; proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
      }`;
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${join(folder, name.replace('client_', ''))};`)
      .join('\n');
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off; pid ${join(folder, 'pid')}; error_log stderr warn; worker_processes 1;
      ${process.getuid() === 0 ? 'user root;' : ''}
      events { worker_connections 512; }
      http {
        access_log off; client_max_body_size 64m; ${temporary}
        upstream tcp { server 127.0.0.1:${backendPort} max_fails=0; keepalive 8; }
        upstream path { server unix:${join(folder, 'backend')} max_fails=0; keepalive 8; }
        server { listen 127.0.0.1:${port}; ${locations} }
        server {
          listen 127.0.0.1:${tlsPort} ssl http2; ${locations}
          ssl_certificate ${certificate.cert}; ssl_certificate_key ${certificate.key};
        }
      }\n`,
    );
  },
  args: ({ folder }) => ['-c', join(folder, 'nginx.conf'), '-e', 'stderr', '-p', folder],
  settings: ({ folder }) => ({ backendPath: join(folder, 'backend') }),
};
