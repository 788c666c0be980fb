// mysql2 against MariaDB: plain, and over TLS, which takes over a connection that has already greeted.
import { once } from 'node:events';
import mysql from 'mysql2';
import promises from 'mysql2/promise';
import { cert, counterpart } from '../counterpart.mjs';
import { atOnce, digest, failure, payload, tell } from '../transcript.mjs';

const { port, user, password, database } = counterpart('mariadb');
const plain = { host: '127.0.0.1', port, user, password, database };
const encrypted = { ...plain, user: 'encrypted', ssl: { ca: cert, verifyIdentity: false } };

async function queries(connection) {
  const [sum] = await connection.query('SELECT 40 + 2 AS sum, ? AS word', ['é']);
  tell('row', sum[0]);
  const [prepared] = await connection.execute('SELECT ? * 2 AS twice', [21]);
  tell('prepared', prepared[0]);
  const large = payload(6 << 20);
  await connection.query('CREATE TEMPORARY TABLE files (id INT PRIMARY KEY, bytes LONGBLOB)');
  await connection.query('INSERT INTO files VALUES (1, ?)', [large]);
  const [files] = await connection.query('SELECT bytes FROM files');
  tell('large', digest(files[0].bytes));
  tell('duplicate', await failure(() => connection.query('INSERT INTO files VALUES (1, "")')));
  const results = await atOnce(100, (index) => connection.query('SELECT ? AS n', [index]));
  tell(
    'queued',
    results.every(([[row]], index) => row.n === index),
  );
}

async function streamed(connection) {
  const rows = connection.connection
    .query('SELECT seq, MD5(seq) AS hash FROM seq_1_to_30000')
    .stream();
  let count = 0;
  let hashes = '';
  for await (const { hash } of rows) {
    count += 1;
    hashes += hash;
  }
  tell('streamed', count, digest(hashes));
}

async function killed(config) {
  const victim = mysql.createConnection(config);
  await once(victim, 'connect');
  const admin = await promises.createConnection(plain);
  const lost = once(victim, 'error');
  await admin.query('KILL CONNECTION ?', [victim.threadId]);
  const [error] = await lost;
  tell('killed', error.code, error.fatal);
  await admin.end();
}

for (const [name, config] of Object.entries({ plain, encrypted })) {
  tell(`--- ${name}`);
  const connection = await promises.createConnection(config);
  const [status] = await connection.query("SHOW STATUS LIKE 'Ssl_version'");
  tell('encrypted', status[0].Value);
  await queries(connection);
  await streamed(connection);
  await connection.end();
  await killed(config);

  const pool = promises.createPool({ ...config, connectionLimit: 8 });
  const sums = await atOnce(300, async (index) => {
    const [[row]] = await pool.query('SELECT ? * 2 AS n', [index]);
    return row.n;
  });
  tell(
    'pool',
    sums.reduce((sum, n) => sum + n, 0),
  );
  await pool.end();
}
const wrong = { ...plain, password: 'wrong' };
tell('wrong password', await failure(() => promises.createConnection(wrong)));
const unencrypted = { ...plain, user: 'encrypted' };
tell('without TLS', await failure(() => promises.createConnection(unencrypted)));
