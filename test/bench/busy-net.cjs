// soref, but servers set an option of each connection before they serve it, OPTIONS times: each time
// is one system call, and one call into the core, more for a connection.
const net = require('soref');

module.exports = {
  ...net,
  createServer: (options, serve) =>
    net.createServer(options, (socket) => {
      for (let set = 0; set < Number(process.env.OPTIONS); set += 1) socket.setTypeOfService(set);
      serve(socket);
    }),
};
