// Tells which engines the API tests run on. io_uring is left out, visibly, on a host that has none;
// on a host that has it, soref's failing to use it is a failed test and not a reason to leave it out.
import { spawnSync } from 'node:child_process';
import { release } from 'node:os';
import { liburingArchive } from './liburing.mjs';
import { output, root } from './processes.mjs';

/** The first kernel on which everything the engine uses is known to be there. */
const URING_KERNEL = [6, 1];
/** io_uring_setup(0, NULL): a kernel that lets us fails with EFAULT or EINVAL, others as they deny. */
const PROBE = `import ctypes; c = ctypes.CDLL(None, use_errno=True)
c.syscall(425, 0, None); print(ctypes.get_errno())`;
const PERMITTED = ['14', '22'];

function hostOffersUring() {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  if (major < URING_KERNEL[0] || (major === URING_KERNEL[0] && minor < URING_KERNEL[1]))
    return false;
  return PERMITTED.includes(output('python3', ['-c', PROBE]) ?? '');
}

/** Why soref cannot run on an engine here, or undefined when it can. */
function refusal(engine) {
  const program = `const { engine } = require('soref');
    if (engine !== ${JSON.stringify(engine)}) throw new Error('soref.engine is ' + engine);`;
  const { status, stderr } = spawnSync(process.execPath, ['-e', program], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, SOREF_ENGINE: engine },
  });
  if (status === 0) return undefined;
  return /^\w*Error.*$/m.exec(stderr)?.[0] ?? (stderr.trim() || 'it does not start');
}

/** The engines to test with. What should be there and is not is added to `results` as a failure. */
export function availableEngines(results) {
  return ['io_uring', 'epoll'].filter((engine) => {
    const reason = refusal(engine);
    if (reason === undefined) return true;
    const expected = engine === 'epoll' || (liburingArchive() !== undefined && hostOffersUring());
    console.log(`${expected ? 'FAILED ' : ''}${engine} is left out: ${reason}`);
    if (expected) results.push({ file: engine, passed: 0, failed: 1, failures: [reason] });
    return false;
  });
}
