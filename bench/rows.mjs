// The rows of the comparison: what each one measures and how the load generator is asked for it.

/**
 * @typedef {object} Row
 * @property {string} mode      of the load generator and of every server
 * @property {string} unit      what is counted and divided by
 * @property {string} latency   from when to when the latency goes
 * @property {string[]} load    further arguments of the load generator
 * @property {string} [module]  Node's module that serves, where it is not net
 */

/** @type {Record<string, Row>} */
export const rows = {
  // The client ends with RST: the server has closed by then, so it changes nothing for the server,
  // and the kernel is not left with more connections in TIME_WAIT than it has room for.
  'accept-close': {
    mode: 'accept-close',
    unit: 'connection',
    latency: 'connect→closed',
    load: ['--reset'],
  },
  'request-response': {
    mode: 'request-response',
    unit: 'connection',
    latency: 'connect→closed',
    load: [],
  },
  echo: { mode: 'echo', unit: 'message', latency: 'round trip', load: [] },
  // Node's http module, under soref/register and without. There is no bare server to compare with.
  http: { mode: 'http', unit: 'request', latency: 'round trip', load: [], module: 'node:http' },
  'http-close': {
    mode: 'http-close',
    unit: 'request',
    latency: 'connect→closed',
    load: [],
    module: 'node:http',
  },
};
