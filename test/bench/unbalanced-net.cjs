// Stands for a soref that lost a socket: node:net with a ledger that does not balance. The
// benchmark must report it.
const net = require('node:net');

module.exports = {
  createServer: net.createServer,
  engine: 'unbalanced',
  ledger: () => ({
    attached: 3,
    detached: 2,
    live: 1,
    descriptors: 1,
    references: { consumer: 1 },
  }),
};
