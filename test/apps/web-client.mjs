// A plain HTTP client for the programs that are servers: what came back, in the terms of a transcript.
import http from 'node:http';
import { digest } from './transcript.mjs';

/** One request, on a connection of its own unless there is an agent. `body` is bytes, text or a readable stream; the answer's `text` and `bytes` are its body. */
export function request(port, path, { body, agent = false, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const outgoing = http.request(
      { port, path, host: '127.0.0.1', agent, ...options },
      (incoming) => {
        const chunks = [];
        incoming.on('data', (chunk) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const { statusCode: status, headers, trailers } = incoming;
          resolve({ status, headers, trailers, bytes, text: bytes.toString() });
        });
      },
    );
    outgoing.on('error', reject);
    if (typeof body?.pipe === 'function') body.pipe(outgoing);
    else outgoing.end(body);
  });
}

/** An answer in one line. */
export function summary({ status, headers, bytes }) {
  return `${status} ${headers['content-type'] ?? '-'} ${digest(bytes)}`;
}
