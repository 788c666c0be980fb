// Not a server but the load generator wrk, which a program starts itself.
export default { debianPackage: 'wrk', program: 'wrk', ports: [] };
