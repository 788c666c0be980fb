// What the server program does with a connection in each mode. `counts` is what it reports: accepted
// and failed connections, and in the bulk modes the bytes that moved.

const MESSAGE_SIZE = 64; // bytes, of a request, an answer and an echo
const response = Buffer.alloc(MESSAGE_SIZE, 'r');
const piece = Buffer.alloc(65_536, 'b');

export const counts = { accepted: 0, failed: 0, bytes: 0 };

/** A connection that breaks is counted here, and by the load generator by its errno. */
function watch(socket) {
  counts.accepted += 1;
  socket.on('error', () => {
    counts.failed += 1;
  });
}

function answerOnce(socket) {
  watch(socket);
  let received = 0;
  socket.on('data', (chunk) => {
    received += chunk.length;
    if (received === MESSAGE_SIZE) socket.end(response);
  });
}

/** Reads no more while what it has read cannot leave. */
function echo(socket) {
  watch(socket);
  socket.on('data', (chunk) => {
    if (socket.write(chunk)) return;
    socket.pause();
    socket.once('drain', () => socket.resume());
  });
}

function discard(socket) {
  watch(socket);
  socket.on('data', (chunk) => {
    counts.bytes += chunk.length;
  });
}

/** Writes until the client ends; what was taken by then still leaves. */
function supply(socket) {
  watch(socket);
  let ended = false;
  const send = () => {
    while (!ended && socket.write(piece));
  };
  socket.on('drain', send).resume();
  socket.on('end', () => {
    ended = true;
  });
  socket.on('close', () => {
    counts.bytes += socket.bytesWritten;
  });
  send();
}

let unpaired;

/** Every second connection is the partner of the one before it; each gets what the other sends. */
function pair(socket) {
  watch(socket);
  socket.on('close', () => {
    counts.bytes += socket.bytesWritten;
  });
  if (unpaired === undefined) {
    unpaired = socket;
    return;
  }
  unpaired.pipe(socket);
  socket.pipe(unpaired);
  unpaired = undefined;
}

function hello(_request, response) {
  response.setHeader('Content-Type', 'text/plain');
  response.end('hello');
}

/** By mode: the listener, whether it takes requests, and the server's options. */
export const services = {
  'accept-close': {
    serve: (socket) => {
      counts.accepted += 1;
      socket.destroy();
    },
  },
  'request-response': { serve: answerOnce },
  echo: { serve: echo },
  hold: {
    serve: (socket) => {
      watch(socket);
      socket.resume();
    },
  },
  'bulk-to': { serve: discard },
  'bulk-from': { serve: supply },
  pipe: { serve: pair, options: { allowHalfOpen: true } },
  http: { serve: hello, takesRequests: true },
  'http-close': { serve: hello, takesRequests: true },
  https: { serve: hello, takesRequests: true, needsCertificate: true },
  'https-close': { serve: hello, takesRequests: true, needsCertificate: true },
};
