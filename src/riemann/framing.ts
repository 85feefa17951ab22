/**
 * Riemann over TCP: before each message goes its length in bytes, 32 bits, big-endian.
 * Source: https://github.com/riemann/riemann-java-client (TcpTransport, a
 * LengthFieldPrepender of four bytes).
 */

const LENGTH_BYTES = 4;

/** An answer is "ok", or one text; anything much longer comes from something else. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Puts a message's length before it. */
export function frame(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(LENGTH_BYTES + message.length);
  new DataView(framed.buffer).setUint32(0, message.length);
  framed.set(message, LENGTH_BYTES);
  return framed;
}

/** Puts answers together, each of which is the only one that may come. */
export class AnswerReader {
  /** The length, then, when that is known, the message: as large as it will be. */
  private part = new Uint8Array(LENGTH_BYTES);
  private filled = 0;
  private isInMessage = false;

  /**
   * Takes the next bytes.
   * @returns the answer, when this was the rest of it
   * @throws {Error} if it would be longer than 64 KiB, or if there is more behind it
   */
  push(bytes: Uint8Array): Uint8Array | undefined {
    const rest = this.fill(bytes);
    if (this.filled < this.part.length) return undefined;
    if (!this.isInMessage) {
      const length = new DataView(this.part.buffer).getUint32(0);
      if (length > MAX_ANSWER_BYTES) throw new Error(`an answer of ${length} bytes`);
      this.expect(length, true);
      return this.push(rest);
    }
    if (rest.length > 0) throw new Error('it sent something unasked');
    const answer = this.part;
    this.expect(LENGTH_BYTES, false);
    return answer;
  }

  /** @returns what the current part has no room for */
  private fill(bytes: Uint8Array): Uint8Array {
    const taken = bytes.subarray(0, this.part.length - this.filled);
    this.part.set(taken, this.filled);
    this.filled += taken.length;
    return bytes.subarray(taken.length);
  }

  private expect(bytes: number, isInMessage: boolean): void {
    this.part = new Uint8Array(bytes);
    this.filled = 0;
    this.isInMessage = isInMessage;
  }
}
