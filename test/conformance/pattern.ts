import { Buffer } from 'node:buffer';

/** A byte stream that both sides can make for themselves: every byte follows from its offset. */

const PERIOD = 65_521;
const period = Uint8Array.from({ length: PERIOD }, (_, i) => (i * 167 + (i >> 8)) & 0xff);

/** The pattern's bytes from `offset` on. */
export function pattern(offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const from = (offset + done) % PERIOD;
    const part = period.subarray(from, from + length - done);
    bytes.set(part, done);
    done += part.length;
  }
  return bytes;
}

/** Whether the chunks in their order are the pattern from its beginning. */
export function isPattern(chunks: Iterable<Uint8Array>): boolean {
  let offset = 0;
  for (const chunk of chunks) {
    if (Buffer.compare(chunk, pattern(offset, chunk.length)) !== 0) return false;
    offset += chunk.length;
  }
  return true;
}
