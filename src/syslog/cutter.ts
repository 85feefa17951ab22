import { characterBoundary } from './utf8.ts';

/** A carry buffer that has grown beyond this is given back once it is empty. */
const KEPT_CARRY_BYTES = 16 * 1024;
export const NOTHING: Uint8Array = new Uint8Array(0);

/** Between two frames. */
export const START = 0;
/** Inside a frame whose length was given. */
export const COUNTED = 1;

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
 * Cuts bytes into frames, whose lengths a subclass finds. It is pulled: after {@link push}, call
 * {@link next} until it returns false. A frame that lies in one chunk is handed out in place; only
 * a frame that crosses chunks is copied.
 *
 * A frame longer than `maxBytes` comes out in parts, so memory is bounded.
 */
export abstract class Cutter implements Frame {
  // The current frame, valid until the next call of `next`.
  bytes: Uint8Array = NOTHING;
  start = 0;
  end = 0;
  part = 0;
  promised = 0;
  arrived = 0;

  /** Whether {@link finish} was called. */
  hasEnded = false;

  /** The longest frame that comes out whole, in bytes; may change between two frames. */
  protected maxBytes: number;
  /** {@link START}, {@link COUNTED}, or a state of the subclass's. */
  protected state: number = START;
  protected chunk: Uint8Array = NOTHING;
  protected position = 0;
  protected carry: Uint8Array = NOTHING;
  protected carried = 0;
  /** Bytes of `carry` that the current frame occupies, free at the next call. */
  protected handedOut = 0;
  protected parts = 0;
  /** The length that was given, and how much of it has not been handed out. */
  protected count = 0;
  protected remaining = 0;

  /** @param maxBytes the longest frame that comes out whole, in bytes */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** @returns whether there is a frame; its place is in `bytes`, `start` and `end` */
  abstract next(): boolean;

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

  /** Frees the frame that was handed out last; the first thing in {@link next}. */
  protected dropHandedOut(): void {
    this.carried -= this.handedOut;
    if (this.carried > 0) this.carry.copyWithin(0, this.handedOut, this.handedOut + this.carried);
    else if (this.carry.length > KEPT_CARRY_BYTES) this.carry = NOTHING;
    this.handedOut = 0;
  }

  /** Frees the chunk, of which nothing is left. */
  protected dropChunk(): void {
    this.chunk = NOTHING;
    this.position = 0;
  }

  /** Waits for more bytes, since these do not tell what begins here. */
  protected keepUndecided(): false {
    this.keep(this.chunk.length);
    return false;
  }

  /** A frame of {@link count} bytes begins at an offset of the chunk. */
  protected beginCounted(count: number, position: number): void {
    this.state = COUNTED;
    this.count = count;
    this.remaining = count;
    this.position = position;
  }

  /** Hands out more of the frame whose length was given; false if more bytes are needed. */
  protected nextCounted(): boolean {
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

  /** Hands out the next `maxBytes` of a longer frame, cut between two characters. */
  protected cutPart(): true {
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
  protected endFrame(bytes: Uint8Array, start: number, end: number): boolean {
    this.state = START;
    if (end === start) {
      if (bytes === this.carry) this.carried = 0;
      return false;
    }
    const handed = this.hand(bytes, start, end, this.parts > 0 ? this.parts + 1 : 0);
    if (bytes === this.carry) this.handedOut = this.carried;
    return handed;
  }

  protected hand(bytes: Uint8Array, start: number, end: number, part: number): true {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.part = part;
    this.promised = 0;
    if (bytes === this.carry) this.handedOut = end - start;
    return true;
  }

  /** Copies the chunk's bytes up to `stop` to the carry. */
  protected keep(stop: number): void {
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
}
