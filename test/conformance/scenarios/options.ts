// Newer options of sockets, played where the host has them.
import { pair, type Scenarios } from '../scenario';

interface Tos {
  setTypeOfService?(tos: unknown): unknown;
  getTypeOfService?(): number;
}

export const options: Scenarios = {
  'type of service': async (net, log) => {
    if (!('setTypeOfService' in require('node:net').Socket.prototype)) return;
    const unconnected = new net.Socket() as Tos;
    log.note('unconnected', unconnected.getTypeOfService?.());
    log.attempt('unconnected', 'set', () => unconnected.setTypeOfService?.(16) === unconnected);
    log.note('unconnected', unconnected.getTypeOfService?.());
    for (const wrong of [-1, 256, 1.5, Number.NaN, '16', null, undefined]) {
      log.attempt('unconnected', String(wrong), () => unconnected.setTypeOfService?.(wrong));
    }
    const { client, peer } = await pair(net, log, { client: { typeOfService: 8 } as never });
    log.note('client', (client as Tos).getTypeOfService?.());
    log.attempt('client', 'set', () => (client as Tos).setTypeOfService?.(32));
    log.note('client', (client as Tos).getTypeOfService?.());
    log.note('peer', (peer as Tos).getTypeOfService?.());
    for (const wrong of [-1, 256, '8']) {
      log.attempt(
        'new socket',
        String(wrong),
        () => new net.Socket({ typeOfService: wrong } as never),
      );
    }
  },
};
