// pg against PostgreSQL: plain, over TLS, which starts on a connection that speaks already, and on a Unix socket.
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import copy from 'pg-copy-streams';
import { cert, counterpart } from '../counterpart.mjs';
import { atOnce, digest, failure, payload, tell, text } from '../transcript.mjs';

const { port, user, password, database, folder } = counterpart('postgres');
const plain = { host: '127.0.0.1', port, user, password, database };
const encrypted = { ...plain, ssl: { ca: cert, servername: 'localhost' } };
const local = { ...plain, host: folder };

async function queries(client) {
  const { rows } = await client.query('SELECT $1::int + 1 AS sum, $2::text AS word', [41, 'é']);
  tell('row', rows[0]);
  const many = await client.query(
    'SELECT n, md5(n::text) AS hash FROM generate_series(1, 20000) n',
  );
  tell('rows', many.rowCount, digest(JSON.stringify(many.rows)));
  const large = payload(5 << 20);
  const echoed = await client.query('SELECT $1::bytea AS bytes', [large]);
  tell('echoed', digest(echoed.rows[0].bytes), echoed.rows[0].bytes.equals(large));
  tell('error', await failure(() => client.query('SELECT nothing FROM nowhere')));
  tell('after it', (await client.query('SELECT 7 AS seven')).rows[0]);
}

async function copies(client) {
  await client.query('CREATE TEMP TABLE lines (id int, line text)');
  const lines = Array.from({ length: 20000 }, (_, id) => `${id}\t${text(100, id)}\n`);
  await pipeline(Readable.from(lines), client.query(copy.from('COPY lines FROM STDIN')));
  const { rows } = await client.query('SELECT count(*)::int, sum(length(line))::int FROM lines');
  tell('copied in', rows[0]);
  const out = client.query(copy.to('COPY (SELECT * FROM lines ORDER BY id) TO STDOUT'));
  const chunks = await out.toArray();
  tell('copied out', digest(Buffer.concat(chunks)));
}

async function notifications(client, other) {
  await client.query('LISTEN news');
  const notified = once(client, 'notification');
  await other.query("SELECT pg_notify('news', $1)", [text(7000)]);
  const [{ channel, payload: news }] = await notified;
  tell('notified on', channel, digest(news));
}

async function killed(config) {
  const client = new pg.Client(config);
  const admin = new pg.Client(plain);
  await Promise.all([client.connect(), admin.connect()]);
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  const lost = once(client, 'error');
  const query = failure(() => client.query('SELECT pg_sleep(60)'));
  // A server that is killed before it has read the query would reset a Unix connection.
  const asleep = "SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'";
  while ((await admin.query(asleep, [rows[0].pid])).rowCount === 0);
  await admin.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
  tell('killed', await query);
  tell('and then', (await lost)[0].message);
  await admin.end();
}

for (const [name, config] of Object.entries({ plain, encrypted, local })) {
  tell(`--- ${name}`);
  const client = new pg.Client(config);
  const other = new pg.Client(config);
  await Promise.all([client.connect(), other.connect()]);
  tell('stream', client.connection.stream.constructor.name);
  const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
  tell('encrypted', rows[0].ssl);
  await queries(client);
  await copies(client);
  await notifications(client, other);
  await Promise.all([client.end(), other.end()]);
  await killed(config);

  const pool = new pg.Pool({ ...config, max: 8 });
  const sums = await atOnce(200, async (index) => {
    const {
      rows: [row],
    } = await pool.query('SELECT $1::int * 2 AS n', [index]);
    return row.n;
  });
  tell(
    'pool',
    sums.reduce((sum, n) => sum + n, 0),
    pool.totalCount,
  );
  await pool.end();
}
const wrong = new pg.Client({ ...plain, password: 'wrong' });
tell('wrong password', await failure(() => wrong.connect()));
