// What the programs do with an MQTT broker, whichever it is.
import { once } from 'node:events';
import mqtt from 'mqtt';
import { atOnce, digest, payload, tell } from './transcript.mjs';

/** Waits for so many messages, and gives them as topic and payload. */
function messages(client, count) {
  const seen = [];
  return new Promise((resolve) => {
    client.on('message', function take(topic, message, packet) {
      seen.push({ topic, message, qos: packet.qos, retain: packet.retain });
      if (seen.length < count) return;
      client.off('message', take);
      resolve(seen);
    });
  });
}

async function deliveries(url, options, largest) {
  const subscriber = await mqtt.connectAsync(url, options);
  const publisher = await mqtt.connectAsync(url, options);
  await subscriber.subscribeAsync('soref/#', { qos: 2 });
  for (const qos of [0, 1, 2]) {
    const arrived = messages(subscriber, 200);
    await atOnce(200, (index) =>
      publisher.publishAsync(`soref/${qos}`, `message ${index}`, { qos }),
    );
    const seen = await arrived;
    tell('qos', qos, digest(seen.map(({ message }) => message).join()), seen[0].qos);
  }
  const arrived = messages(subscriber, 1);
  await publisher.publishAsync('soref/large', payload(largest), { qos: 1 });
  tell('large', digest((await arrived)[0].message));
  await publisher.publishAsync('kept', 'retained', { retain: true, qos: 1 });
  const retained = messages(subscriber, 1);
  await subscriber.subscribeAsync('kept');
  const [{ message, retain }] = await retained;
  tell('retained', message.toString(), retain);
  await publisher.publishAsync('kept', '', { retain: true, qos: 1 });
  await Promise.all([subscriber.endAsync(), publisher.endAsync()]);
}

async function lastWill(url, options) {
  const heir = await mqtt.connectAsync(url, options);
  await heir.subscribeAsync('will');
  const arrived = messages(heir, 1);
  const will = { topic: 'will', payload: 'gone', qos: 0, retain: false };
  const testator = await mqtt.connectAsync(url, { ...options, will, reconnectPeriod: 0 });
  testator.stream.destroy();
  tell('last will', (await arrived)[0].message.toString());
  await Promise.all([heir.endAsync(), testator.endAsync()]);
}

async function reconnect(url, options) {
  const client = await mqtt.connectAsync(url, {
    ...options,
    clientId: 'twice',
    reconnectPeriod: 20,
  });
  const closed = once(client, 'close');
  const again = once(client, 'connect');
  // Another client of the same name makes the broker close the first one's connection.
  const usurper = await mqtt.connectAsync(url, {
    ...options,
    clientId: 'twice',
    reconnectPeriod: 0,
  });
  await closed;
  await again;
  tell('connected again', client.connected);
  await Promise.all([client.endAsync(), usurper.endAsync()]);
}

async function crowd(url, options) {
  const clients = await atOnce(40, () => mqtt.connectAsync(url, options));
  await Promise.all(clients.map((client, index) => client.subscribeAsync(`crowd/${index}`)));
  const arrived = Promise.all(clients.map((client) => messages(client, 1)));
  await Promise.all(
    clients.map((client, index) =>
      client.publishAsync(`crowd/${(index + 1) % 40}`, `from ${index}`),
    ),
  );
  const seen = await arrived;
  tell('crowd', digest(seen.map(([{ message }]) => message).join()));
  await Promise.all(clients.map((client) => client.endAsync()));
}

/** One session, told: the same for every broker and whatever carries it. `largest` is of a message, in bytes. */
export async function session(name, url, options, largest = 3 << 20) {
  tell(`--- ${name}`);
  await deliveries(url, options, largest);
  await lastWill(url, options);
  await reconnect(url, options);
  await crowd(url, options);
}
