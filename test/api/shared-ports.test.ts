// Worker threads that share a port: each has a server of its own there (reusePort, SO_REUSEPORT of socket(7)), and the
// kernel gives each its part of the connections.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { connect } from 'soref';
import t, { type Test } from 'tap';

const THREADS = 3;
const CONNECTIONS = 150;

const SERVER = `
const { once } = require('node:events');
const { parentPort, threadId, workerData } = require('node:worker_threads');
const net = require('soref');
const closes = [];
const server = net.createServer((socket) => {
  closes.push(once(socket, 'close'));
  socket.end(String(threadId));
});
server.listen({ port: workerData, host: '127.0.0.1', reusePort: true }, () => {
  parentPort.postMessage(server.address().port);
});
parentPort.on('message', () => {
  server.close(async () => {
    // The server waits until its sockets are destroyed, as Node's does, and not until they are closed.
    await Promise.all(closes);
    const { attached, detached, descriptors } = net.ledger();
    const balanced = attached === detached && descriptors === 0;
    parentPort.postMessage({ served: closes.length, balanced });
    parentPort.close();
  });
});`;

/** What a thread tells when it has closed. */
interface Closed {
  served: number;
  balanced: boolean;
}

/** Closes the thread's server, and waits until the thread is gone; it may go as soon as it has told. */
async function close(thread: Worker): Promise<Closed> {
  const ended = Promise.all([once(thread, 'message'), once(thread, 'exit')]);
  thread.postMessage('close');
  const [[closed]] = await ended;
  return closed as Closed;
}

function read(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    connect(port, '127.0.0.1')
      .on('data', (data) => {
        text += data;
      })
      .on('error', reject)
      .on('close', () => resolve(text));
  });
}

/** Starts the threads one after the other: the first finds the port that the others share. */
async function startThreads(test: Test): Promise<{ threads: Worker[]; port: number }> {
  const file = `${test.testdir({ 'server.cjs': SERVER })}/server.cjs`;
  const threads: Worker[] = [];
  let port = 0;
  for (let index = 0; index < THREADS; index++) {
    const thread = new Worker(file, { workerData: port });
    threads.push(thread);
    [port] = (await once(thread, 'message')) as [number];
  }
  return { threads, port };
}

t.test('every thread serves its part, and none is lost', async (t) => {
  const { threads, port } = await startThreads(t);
  const answers = await Promise.all(Array.from({ length: CONNECTIONS }, () => read(port)));
  const names = threads.map(({ threadId }) => String(threadId)).sort();
  t.strictSame([...new Set(answers)].sort(), names, 'the kernel spreads them');
  const [first, ...others] = threads as [Worker, ...Worker[]];
  const { served, balanced } = await close(first);
  t.equal(served, answers.filter((name) => name === names[0]).length);
  t.ok(balanced);
  const later = await Promise.all(Array.from({ length: CONNECTIONS }, () => read(port)));
  t.notOk(later.includes(names[0] as string), 'a thread that has closed gets no more');
  t.notOk(later.includes(''), 'and the others get all');
  for (const thread of others) {
    t.ok((await close(thread)).balanced);
  }
});
