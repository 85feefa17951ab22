import { CR, LF } from './ascii.ts';
import { COUNTED, Cutter } from './cutter.ts';

/** Takes each datagram as one message (RFC 5426 §3.1); a line end or NUL behind it is not part of it. */
export class DatagramCutter extends Cutter {
  override push(datagram: Uint8Array): void {
    let end = datagram.length;
    while (end > 0 && isTail(datagram[end - 1])) end -= 1;
    super.push(datagram.subarray(0, end));
    this.parts = 0;
    if (end > 0) this.beginCounted(end, 0);
  }

  next(): boolean {
    if (this.state === COUNTED) return this.nextCounted();
    this.dropChunk();
    return false;
  }
}

function isTail(byte: number): boolean {
  return byte === LF || byte === CR || byte === 0;
}
