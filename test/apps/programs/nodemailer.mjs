// nodemailer sends to smtp-server: plain, over TLS from the start, and upgraded by STARTTLS; with log-in, attachments,
// a pool, refusals, and a server that hangs up.
import { once } from 'node:events';
import nodemailer from 'nodemailer';
import { SMTPServer } from 'smtp-server';
import { cert, key } from '../counterpart.mjs';
import { atOnce, digest, failure, payload, tell } from '../transcript.mjs';

const BOUNDARY = /--_NmP-[^\r\n]*/g;
const mails = [];

function makeServer(options) {
  return new SMTPServer({
    key,
    cert,
    authOptional: true,
    logger: false,
    onAuth({ username, password }, _session, done) {
      if (password === 'secret') done(null, { user: username });
      else done(new Error('wrong password'));
    },
    onRcptTo({ address }, { user }, done) {
      done(address.startsWith('nobody') ? new Error(`no such user for ${user}`) : null);
    },
    async onData(stream, session, done) {
      const mail = Buffer.concat(await stream.toArray()).toString();
      // The limits of the parts are random.
      mails.push(mail.replace(BOUNDARY, '--limit').replace(/boundary="[^"]*"/g, ''));
      if (session.envelope.rcptTo[0].address.startsWith('hangup')) {
        for (const connection of server.connections) connection._socket.destroy();
        return;
      }
      done(null, `accepted, encrypted ${session.secure}`);
    },
    ...options,
  });
}

let server;
const mail = {
  from: 'sender@localhost',
  to: 'receiver@localhost',
  subject: 'Grüße',
  text: 'Hello\n.\n..dots\n',
  date: new Date(0),
  messageId: '<1@localhost>',
};
const VARIANTS = [
  ['plain', { hideSTARTTLS: true }, { ignoreTLS: true }],
  ['STARTTLS', {}, { requireTLS: true }],
  ['TLS', { secure: true }, { secure: true }],
];
for (const [name, serverOptions, clientOptions] of VARIANTS) {
  tell(`--- ${name}`);
  server = makeServer(serverOptions);
  // Connections that end in trouble; what the client sees of it is told below.
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const where = { host: 'localhost', port: server.server.address().port, tls: { ca: cert } };
  const auth = { user: 'soref', pass: 'secret' };
  const transport = nodemailer.createTransport({ ...where, ...clientOptions, auth });
  tell('verified', await transport.verify());
  const { response } = await transport.sendMail(mail);
  tell(response, digest(mails.pop()));
  const attachments = [
    { filename: 'large.bin', content: payload(3 << 20) },
    { filename: 'small.txt', content: 'text' },
  ];
  tell((await transport.sendMail({ ...mail, attachments })).response, digest(mails.pop()));
  const refused = await failure(() => transport.sendMail({ ...mail, to: 'nobody@localhost' }));
  tell('refused', refused.code, refused.responseCode);
  const hungUp = await failure(() => transport.sendMail({ ...mail, to: 'hangup@localhost' }));
  tell('hung up', hungUp.code);
  const wrong = nodemailer.createTransport({
    ...where,
    ...clientOptions,
    auth: { ...auth, pass: 'x' },
  });
  tell('log-in', await failure(() => wrong.verify()));

  mails.length = 0;
  const pool = nodemailer.createTransport({
    ...where,
    ...clientOptions,
    auth,
    pool: true,
    maxConnections: 4,
  });
  const sent = await atOnce(60, (n) => pool.sendMail({ ...mail, subject: `number ${n}` }));
  tell('pool', sent.length, digest(mails.sort().join()));
  pool.close();
  await new Promise((resolve) => server.close(resolve));
}
const nowhere = nodemailer.createTransport({ host: '127.0.0.1', port: 1 });
tell('nobody listens', await failure(() => nowhere.verify()));
