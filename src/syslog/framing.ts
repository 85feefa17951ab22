import { CR, isDigit, LESS_THAN, LF, SPACE, ZERO } from './ascii.ts';
import { characterBoundary } from './utf8.ts';

/** More digits than this are no octet count: no sender has a frame of a gigabyte. */
const MAX_COUNT_DIGITS = 9;
/** A carry buffer that has grown beyond this is given back once it is empty. */
const KEPT_CARRY_BYTES = 16 * 1024;
const NOTHING: Uint8Array = new Uint8Array(0);

/** At the first byte of a frame: which framing is it? */
const START = 0;
/** Inside a frame that ends at LF (RFC 6587 §3.4.2). */
const LINE = 1;
/** Inside a frame whose length was given (RFC 6587 §3.4.1). */
const COUNTED = 2;
type State = typeof START | typeof LINE | typeof COUNTED;

/** A frame, or a part of one that is too long: `bytes` from `start` to `end`. */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** 0 for a whole frame, else 1, 2, … for its parts. */
  readonly part: number;
  /** The frame's octet count where the stream ended before it was reached, else 0. */
  readonly promised: number;
  /** How many bytes of the frame came, where `promised` is set. */
  readonly arrived: number;
}

/**
 * Cuts one connection's bytes into syslog frames, LF-delimited or octet-counted,
 * told apart anew at each frame (RFC 6587 §3.4). It is pulled: after
 * {@link push}, call {@link next} until it returns false. A frame that lies in one
 * chunk is handed out in place; only a frame that crosses chunks is copied.
 *
 * A frame longer than `maxBytes` comes out in parts, so memory is bounded.
 */
export class Framer implements Frame {
  // The current frame, valid until the next call of `next`.
  bytes: Uint8Array = NOTHING;
  start = 0;
  end = 0;
  part = 0;
  promised = 0;
  arrived = 0;

  /** Whether {@link finish} was called. */
  hasEnded = false;

  private readonly maxBytes: number;
  private state: State = START;
  private chunk: Uint8Array = NOTHING;
  private position = 0;
  /** Where the chunk's next LF is, or its length where it has none; stale before `position`. */
  private lineEnd = -1;
  private carry: Uint8Array = NOTHING;
  private carried = 0;
  /** Bytes of `carry` that the current frame occupies, free at the next call. */
  private handedOut = 0;
  private parts = 0;
  private count = 0;
  private remaining = 0;

  /** @param maxBytes the longest frame that comes out whole, in bytes */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Gives the next bytes of the stream; only when {@link next} has returned false. */
  push(chunk: Uint8Array): void {
    if (this.state === START && this.carried > 0) {
      const joined = new Uint8Array(this.carried + chunk.length);
      joined.set(this.carry.subarray(0, this.carried));
      joined.set(chunk, this.carried);
      this.carried = 0;
      this.chunk = joined;
    } else {
      this.chunk = chunk;
    }
    this.position = 0;
    this.lineEnd = -1;
  }

  /** The size of the chunk that it is at, in bytes: all of it stays in memory. */
  get heldBytes(): number {
    return this.chunk.length;
  }

  /** Whether a frame has begun and not ended. */
  get isInside(): boolean {
    return this.carried > this.handedOut || this.state !== START;
  }

  /** Tells that the stream has ended: {@link next} then hands out what is left. */
  finish(): void {
    this.hasEnded = true;
  }

  /** @returns whether there is a frame; its place is in `bytes`, `start` and `end` */
  next(): boolean {
    if (this.handedOut > 0) this.dropHandedOut();
    for (;;) {
      if (this.state === START && !this.decide()) break;
      const found = this.state === LINE ? this.nextLine() : this.nextCounted();
      if (found) return true;
      if (this.state !== START) break;
    }
    this.chunk = NOTHING;
    this.position = 0;
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
        this.state = COUNTED;
        this.count = count;
        this.remaining = count;
        this.position = at + 1;
        return true;
      }
    }
    this.state = LINE;
    return true;
  }

  private keepUndecided(): false {
    this.keep(this.chunk.length);
    return false;
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

  private nextCounted(): boolean {
    const { chunk, position } = this;
    const isLast = this.remaining <= this.maxBytes;
    // A cut needs one byte more, to see where the part's last character ends.
    const want = isLast ? this.remaining : this.maxBytes + 1;
    if (this.carried + chunk.length - position < want) {
      this.keep(chunk.length);
      return false;
    }
    if (!isLast) {
      this.cutPart();
      this.remaining -= this.end - this.start;
      return true;
    }
    if (this.carried === 0) {
      this.position = position + want;
      return this.endFrame(chunk, position, position + want);
    }
    this.keep(position + want - this.carried);
    return this.endFrame(this.carry, 0, want);
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

  /** Hands out the next `maxBytes` of a longer frame, cut between two characters. */
  private cutPart(): true {
    const { chunk, position, maxBytes } = this;
    this.parts += 1;
    if (this.carried === 0) {
      const end = characterBoundary(chunk, position, position + maxBytes);
      this.position = end;
      return this.hand(chunk, position, end, this.parts);
    }
    this.keep(position + Math.max(0, maxBytes + 1 - this.carried));
    return this.hand(this.carry, 0, characterBoundary(this.carry, 0, maxBytes), this.parts);
  }

  /** Hands out a whole frame or the last part; an empty one is no message. */
  private endFrame(bytes: Uint8Array, start: number, end: number): boolean {
    this.state = START;
    if (end === start) {
      if (bytes === this.carry) this.carried = 0;
      return false;
    }
    const handed = this.hand(bytes, start, end, this.parts > 0 ? this.parts + 1 : 0);
    if (bytes === this.carry) this.handedOut = this.carried;
    return handed;
  }

  private hand(bytes: Uint8Array, start: number, end: number, part: number): true {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.part = part;
    this.promised = 0;
    if (bytes === this.carry) this.handedOut = end - start;
    return true;
  }

  /** The byte at an offset of the current frame, across the carry and the chunk. */
  private byteAt(offset: number): number {
    return offset < this.carried
      ? this.carry[offset]
      : this.chunk[this.position + offset - this.carried];
  }

  /** Copies the chunk's bytes up to `stop` to the carry. */
  private keep(stop: number): void {
    const { chunk, position } = this;
    const length = this.carried + stop - position;
    if (length > this.carry.length) {
      // A frame is cut before it is longer than `maxBytes` and one byte more.
      const doubled = Math.min(2 ** Math.ceil(Math.log2(length)), this.maxBytes + 1);
      const grown = new Uint8Array(Math.max(256, doubled));
      grown.set(this.carry.subarray(0, this.carried));
      this.carry = grown;
    }
    if (stop - position < 64) {
      for (let i = position, to = this.carried; i < stop; i++, to++) this.carry[to] = chunk[i];
    } else {
      this.carry.set(chunk.subarray(position, stop), this.carried);
    }
    this.carried = length;
    this.position = stop;
  }

  private dropHandedOut(): void {
    this.carried -= this.handedOut;
    if (this.carried > 0) this.carry.copyWithin(0, this.handedOut, this.handedOut + this.carried);
    else if (this.carry.length > KEPT_CARRY_BYTES) this.carry = NOTHING;
    this.handedOut = 0;
  }
}
