// memcached, on a port.
export default {
  debianPackage: 'memcached',
  program: 'memcached',
  ports: ['port'],
  args: ({ port }) => [
    ...['-l', '127.0.0.1', '-p', port, '-U', '0', '-I', '16m', '-m', '128'],
    ...(process.getuid() === 0 ? ['-u', 'root'] : []),
  ],
};
