// Shows what a long run is doing: on a terminal one line that is rewritten, elsewhere plain lines.

const terminal = process.stdout.isTTY === true;

/** A passing state; on a terminal it replaces the one before. @param {string} text */
export function showProgress(text) {
  if (!terminal) return console.log(text);
  const width = Math.max(20, (process.stdout.columns || 80) - 1);
  process.stdout.write(`\r\x1b[K${text.slice(0, width)}`);
}

/** Takes the passing state away before what stays is printed. */
export function endProgress() {
  if (terminal) process.stdout.write('\r\x1b[K');
}
