import { isDigit, LF, SPACE, ZERO } from '../syslog/ascii.ts';
import { COUNTED, Cutter, NOTHING, START } from '../syslog/cutter.ts';

/** A transaction number has up to nine digits, and so has a length. */
const MAX_DIGITS = 9;
const MAX_COMMAND_BYTES = 32;
/** What any command but `syslog` may bring; an `open` has less than two hundred bytes. */
const MAX_CONTROL_BYTES = 16_384;
/** How much of what is no RELP is kept, to tell people what it is. */
const SAMPLE_BYTES = 512;

const SYSLOG = new TextEncoder().encode('syslog ');

/** Where a stream is no RELP. */
export interface Violation {
  /** What is wrong, for people. */
  problem: string;
  /** What stands there instead. */
  sample: Uint8Array;
}

/**
 * Cuts one connection's bytes into RELP frames: `TXNR SP COMMAND SP DATALEN [SP DATA] LF`. Only
 * the data of a `syslog` frame may be long, and comes out in parts then. Where the stream is no
 * RELP it goes no further: there is one more frame, and {@link violation} tells why.
 */
export class RelpFramer extends Cutter {
  /** The current frame's transaction number and command. */
  transaction = 0;
  command = '';
  violation: Violation | undefined;
  /** The LF behind the data has not come yet. */
  private owesTrailer = false;
  /** Where the head is being read. */
  private at = 0;
  private readonly maxMessageBytes: number;

  /** @param maxMessageBytes the longest data of a `syslog` frame that comes out whole */
  constructor(maxMessageBytes: number) {
    super(maxMessageBytes);
    this.maxMessageBytes = maxMessageBytes;
  }

  /** Whether the current frame's data ends here: it is whole, or this is its last part. */
  get isComplete(): boolean {
    return this.state === START;
  }

  next(): boolean {
    if (this.handedOut > 0) this.dropHandedOut();
    if (this.state === COUNTED || this.readHead()) {
      if (this.count === 0) {
        this.state = START;
        return this.hand(NOTHING, 0, 0, 0);
      }
      if (this.nextCounted()) return true;
    }
    this.dropChunk();
    return this.violation !== undefined && this.hand(NOTHING, 0, 0, 0);
  }

  /** Reads up to the data of the frame that begins here; false if more bytes are needed. */
  private readHead(): boolean {
    if (this.position === this.chunk.length) return false;
    if (this.owesTrailer) {
      if (this.chunk[this.position] !== LF) return this.refuse('no line end behind the data');
      this.owesTrailer = false;
      this.position += 1;
    }
    this.at = this.position;
    const transaction = this.readNumber();
    if (transaction < 0) return this.waitOrRefuse('no transaction number');
    if (this.chunk[this.at] !== SPACE) return this.refuse('no space behind the transaction number');
    this.at += 1;
    if (!this.readCommand()) return this.waitOrRefuse('no command');
    const length = this.readNumber();
    if (length < 0) return this.waitOrRefuse('no length');
    this.maxBytes = this.command === 'syslog' ? this.maxMessageBytes : MAX_CONTROL_BYTES;
    if (length > this.maxBytes && this.command !== 'syslog') {
      return this.refuse(`a command ${this.command} of ${length} bytes`);
    }
    const hasSpace = this.chunk[this.at] === SPACE;
    if (length > 0 && !hasSpace) return this.refuse('no space before the data');
    this.transaction = transaction;
    this.owesTrailer = true;
    this.parts = 0;
    this.beginCounted(length, hasSpace ? this.at + 1 : this.at);
    return true;
  }

  /** @returns the number before the next byte that is no digit; -1 where there is none */
  private readNumber(): number {
    const { chunk } = this;
    const start = this.at;
    let at = start;
    let number = 0;
    while (at < chunk.length && isDigit(chunk[at]) && at - start < MAX_DIGITS) {
      number = number * 10 + chunk[at++] - ZERO;
    }
    this.at = at;
    const isEnded = at > start && at < chunk.length && !isDigit(chunk[at]);
    return isEnded ? number : -1;
  }

  /** Reads a command and the space behind it. @returns whether there is one */
  private readCommand(): boolean {
    const { chunk, at: start } = this;
    let at = start;
    while (at - start < SYSLOG.length && chunk[at] === SYSLOG[at - start]) at += 1;
    if (at - start === SYSLOG.length) {
      this.command = 'syslog';
      this.at = at;
      return true;
    }
    at = start;
    while (at < chunk.length && isLetter(chunk[at]) && at - start < MAX_COMMAND_BYTES) at += 1;
    this.at = at;
    if (at === start || chunk[at] !== SPACE) return false;
    this.command = String.fromCharCode(...chunk.subarray(start, at));
    this.at = at + 1;
    return true;
  }

  /** @param problem what is wrong, if it is not just that the chunk ends here */
  private waitOrRefuse(problem: string): false {
    return this.at === this.chunk.length ? this.keepUndecided() : this.refuse(problem);
  }

  private refuse(problem: string): false {
    const { chunk, position } = this;
    this.violation ??= { problem, sample: chunk.slice(position, position + SAMPLE_BYTES) };
    return false;
  }
}

function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}
