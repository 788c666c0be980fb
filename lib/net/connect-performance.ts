/**
 * Performance entries of type 'net', name 'connect' (Node's documentation, perf_hooks). Only Node's own sockets can
 * put such an entry on the timeline, so one of them is led through a connection that takes place on paper: its handle
 * is an object of ours that reports what happened to the real one. That costs something, so it is done only while
 * somebody observes.
 */
import { channel } from 'node:diagnostics_channel';
import { PerformanceObserver } from 'node:perf_hooks';
import { NodeSocket } from './node-net';

const clientSockets = channel('net.client.socket');

/** Ends the measurement: the entry's duration runs until this is called. */
export type Measure = () => void;

/** Set by the first observer that could see the entries, and never taken back. */
let observed = false;

function watchObservers(): void {
  const { observe } = PerformanceObserver.prototype;
  Object.defineProperty(PerformanceObserver.prototype, 'observe', {
    ...Object.getOwnPropertyDescriptor(PerformanceObserver.prototype, 'observe'),
    value: Object.defineProperty(
      function (this: PerformanceObserver, options: Parameters<typeof observe>[0]): void {
        observe.call(this, options);
        const { type, entryTypes } = options as { type?: string; entryTypes?: string[] };
        observed ||= type === 'net' || Boolean(entryTypes?.includes('net'));
      },
      'name',
      { value: 'observe' },
    ),
  });
}
watchObservers();

interface Request {
  oncomplete(
    status: number,
    handle: unknown,
    request: Request,
    readable: true,
    writable: true,
  ): void;
}

/** Newer Nodes announce every socket that connects, and the one on paper is nobody's. */
function unannounced(connect: () => void): void {
  Object.defineProperty(clientSockets, 'publish', { value: () => undefined, configurable: true });
  try {
    connect();
  } finally {
    Reflect.deleteProperty(clientSockets, 'publish');
  }
}

/** Starts the measurement of one attempt, if anybody wants to know. */
export function measureConnect(address: string, port: number): Measure | undefined {
  if (!observed) return undefined;
  let request: Request | undefined;
  const start = (given: Request) => {
    request = given;
    return 0;
  };
  const handle = {
    connect: start,
    connect6: start,
    readStart: () => 0,
    readStop: () => 0,
    close(done?: () => void) {
      if (done) setImmediate(done);
    },
    getAsyncId: () => 0,
  };
  const stand = new NodeSocket({ handle, manualStart: true } as never);
  unannounced(() =>
    stand.connect({
      host: 'localhost',
      port,
      family: 4,
      // A lookup that answers at once makes the socket start, and with it the measurement, during this call.
      lookup: (_host: string, _options: unknown, callback: (...values: unknown[]) => void) =>
        callback(null, address, address.includes(':') ? 6 : 4),
    } as never),
  );
  return () => {
    request?.oncomplete(0, handle, request, true, true);
    stand.destroy();
  };
}
