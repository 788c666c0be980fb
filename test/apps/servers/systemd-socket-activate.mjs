// Not a server but systemd's program that opens sockets for one, which a program starts itself.
export default {
  debianPackage: 'systemd',
  program: 'systemd-socket-activate',
  ports: ['web', 'bare'],
};
