import { closeSync, openSync, readSync } from 'node:fs';

/** Calls `take` for each line of a growing file, from its beginning on; returns how to stop that. */
export function followLines(path: string, take: (line: string) => void): () => void {
  const file = openSync(path, 'r');
  const chunk = Buffer.alloc(1 << 16);
  let rest = Buffer.alloc(0);
  const look = () => {
    for (let length = read(); length > 0; length = read()) {
      rest = Buffer.concat([rest, chunk.subarray(0, length)]);
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        take(rest.toString('utf8', 0, end));
        rest = rest.subarray(end + 1);
      }
    }
  };
  const read = () => readSync(file, chunk, 0, chunk.length, null);
  const timer = setInterval(look, 30);
  return () => {
    clearInterval(timer);
    closeSync(file);
  };
}
