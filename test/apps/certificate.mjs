// A key and a certificate for localhost, made anew for each run: valid for a day, and its own authority.
import { join } from 'node:path';
import { run } from '../../scripts/processes.mjs';

/** Writes them into a folder, and gives the paths. RSA, for not every program of others takes more. */
export function writeCertificate(folder) {
  const files = { key: join(folder, 'key.pem'), cert: join(folder, 'cert.pem') };
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  run(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'],
      ...['-addext', names, '-keyout', files.key, '-out', files.cert],
    ],
    { quiet: true },
  );
  return files;
}
