// amqplib against RabbitMQ: plain and over TLS; confirmed messages, large ones, transactions of channels, a closed
// connection.
import amqp from 'amqplib';
import { cert, counterpart } from '../counterpart.mjs';
import { atOnce, digest, failure, next, payload, tell } from '../transcript.mjs';

const { port, tlsPort } = counterpart('rabbitmq');
const options = { ca: [cert], servername: 'localhost' };

/** Takes so many messages from a queue, and gives their contents. */
async function consume(channel, queue, count) {
  const seen = [];
  await new Promise((resolve) => {
    channel.consume(queue, (message) => {
      seen.push(message.content);
      channel.ack(message);
      if (seen.length === count) resolve();
    });
  });
  return seen;
}

for (const url of [`amqp://127.0.0.1:${port}`, `amqps://localhost:${tlsPort}`]) {
  tell('---', url.split(':')[0]);
  const connection = await amqp.connect(url, options);
  const channel = await connection.createConfirmChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  for (let index = 0; index < 1000; index++)
    channel.sendToQueue(queue, Buffer.from(`message ${index}`));
  await channel.waitForConfirms();
  tell('messages', digest(Buffer.concat(await consume(channel, queue, 1000))));
  const { queue: large } = await channel.assertQueue('', { exclusive: true });
  channel.sendToQueue(large, payload(5 << 20));
  await channel.waitForConfirms();
  const [content] = await consume(channel, large, 1);
  tell('large', digest(content));

  await channel.assertExchange('news', 'topic', { durable: false, autoDelete: true });
  const listeners = await atOnce(20, async (index) => {
    const own = await connection.createChannel();
    const { queue: bound } = await own.assertQueue('', { exclusive: true });
    await own.bindQueue(bound, 'news', `key.${index % 5}`);
    return { own, bound };
  });
  for (let index = 0; index < 100; index++)
    channel.publish('news', `key.${index % 5}`, Buffer.from(`n${index}`));
  await channel.waitForConfirms();
  const heard = await Promise.all(listeners.map(({ own, bound }) => consume(own, bound, 20)));
  tell('heard', digest(heard.map((contents) => Buffer.concat(contents)).join()));

  const wrong = await connection.createChannel();
  wrong.on('error', () => {});
  const refused = await failure(() => wrong.checkQueue('there is no such queue'));
  tell('refused', refused.code);

  const others = await atOnce(15, () => amqp.connect(url, options));
  await Promise.all(others.map((other) => other.createChannel()));
  const closed = Promise.all(others.map((other) => next(other, 'close')));
  await Promise.all(others.map((other) => other.close()));
  await closed;
  tell('connections', others.length);
  const cut = await amqp.connect(url, options);
  cut.on('error', (error) => tell('error event', error.message));
  const lost = next(cut, 'close');
  cut.connection.stream.destroy(new Error('cut'));
  tell('closed', (await lost).message);
  await connection.close();
}
const denied = await failure(() => amqp.connect(`amqp://guest:wrong@127.0.0.1:${port}`));
tell('denied', denied.message.split(';')[0].replace(/\d+ /, ''));
tell('nobody', await failure(() => amqp.connect('amqp://127.0.0.1:1')));
