import { CR, isDigit, LESS_THAN, LF, SPACE, ZERO } from './ascii.ts';
import { COUNTED, Cutter, START } from './cutter.ts';

/** More digits than this are no octet count: no sender has a frame of a gigabyte. */
const MAX_COUNT_DIGITS = 9;

/** Inside a frame that ends at LF (RFC 6587 §3.4.2). */
const LINE = 2;

/**
 * Cuts one connection's bytes into syslog frames, LF-delimited or octet-counted, told apart anew
 * at each frame (RFC 6587 §3.4).
 */
export class Framer extends Cutter {
  /** Where the chunk's next LF is, or its length where it has none; stale before `position`. */
  private lineEnd = -1;

  override push(chunk: Uint8Array): void {
    super.push(chunk);
    this.lineEnd = -1;
  }

  next(): boolean {
    if (this.handedOut > 0) this.dropHandedOut();
    for (;;) {
      if (this.state === START && !this.decide()) break;
      const found = this.state === LINE ? this.nextLine() : this.nextCounted();
      if (found) return true;
      if (this.state !== START) break;
    }
    this.dropChunk();
    this.lineEnd = -1;
    return this.hasEnded && this.nextAtEnd();
  }

  /** Finds the framing of the frame that begins here; false if more bytes are needed. */
  private decide(): boolean {
    const { chunk, position } = this;
    if (position >= chunk.length) return false;
    this.parts = 0;
    let at = position;
    let count = 0;
    while (at < chunk.length && isDigit(chunk[at])) {
      if (at - position === MAX_COUNT_DIGITS || chunk[position] === ZERO) break;
      count = count * 10 + chunk[at++] - ZERO;
    }
    const digits = at - position;
    if (digits > 0 && at === chunk.length) return this.keepUndecided();
    if (digits > 0 && chunk[at] === SPACE) {
      if (at + 1 === chunk.length) return this.keepUndecided();
      if (chunk[at + 1] === LESS_THAN) {
        this.beginCounted(count, at + 1);
        return true;
      }
    }
    this.state = LINE;
    return true;
  }

  private nextLine(): boolean {
    const { chunk, position, maxBytes } = this;
    // Looked for once a line: looking once a part would make long lines quadratic.
    if (this.lineEnd < position) {
      const found = chunk.indexOf(LF, position);
      this.lineEnd = found < 0 ? chunk.length : found;
    }
    const lf = this.lineEnd;
    const isWhole = lf < chunk.length;
    if (this.carried === 0 && isWhole) {
      const end = lf > position && chunk[lf - 1] === CR ? lf - 1 : lf;
      if (end - position <= maxBytes) {
        this.position = lf + 1;
        return this.endFrame(chunk, position, end);
      }
    }
    const length = this.carried + lf - position;
    // One byte over may be the CR of a line that still fits.
    const endsInCr = length > 0 && this.byteAt(length - 1) === CR;
    if (length > maxBytes + 1 || (length === maxBytes + 1 && !endsInCr)) return this.cutPart();
    this.keep(lf);
    if (!isWhole) return false;
    this.position = lf + 1;
    return this.endFrame(this.carry, 0, endsInCr ? length - 1 : length);
  }

  /** What is left when the stream is over: a line without LF, or less than was promised. */
  private nextAtEnd(): boolean {
    const { state, carried } = this;
    this.state = START;
    if (carried === 0) return false;
    if (state === COUNTED) {
      this.hand(this.carry, 0, carried, this.parts > 0 ? this.parts + 1 : 0);
      this.promised = this.count;
      this.arrived = this.count - this.remaining + carried;
      return true;
    }
    return this.endFrame(this.carry, 0, this.carry[carried - 1] === CR ? carried - 1 : carried);
  }

  /** The byte at an offset of the current frame, across the carry and the chunk. */
  private byteAt(offset: number): number {
    return offset < this.carried
      ? this.carry[offset]
      : this.chunk[this.position + offset - this.carried];
  }
}
