// Where the programs find what the runner has started for them, and a key and certificate for localhost.
import { readFileSync } from 'node:fs';

const { servers, certificate, scratch: folder } = JSON.parse(process.env.APPS_COUNTERPARTS ?? '{}');

/** A folder of the program's own, with a short path. */
export const scratch = folder;

/** The settings of a server that the program's line in apps.mjs names: its ports and files. */
export function counterpart(name) {
  const settings = servers?.[name];
  if (settings === undefined) throw new Error(`${name} was not started; run it by npm run apps`);
  return settings;
}

/** The paths of the key and of the certificate, and their text. The certificate is its own authority. */
export const certificateFiles = certificate;
export const { key, cert } = {
  key: readFileSync(certificate.key, 'utf8'),
  cert: readFileSync(certificate.cert, 'utf8'),
};
