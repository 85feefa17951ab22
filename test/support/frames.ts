/** Cuts a stream of bytes into Kafka's frames: each begins with its length in four bytes. */
export class Frames {
  private rest = Buffer.alloc(0);
  private readonly take: (frame: Buffer) => void;

  /** `take` gets each whole frame, its length included. */
  constructor(take: (frame: Buffer) => void) {
    this.take = take;
  }

  push(chunk: Buffer): void {
    this.rest = Buffer.concat([this.rest, chunk]);
    while (this.rest.length >= 4) {
      const length = 4 + this.rest.readInt32BE();
      if (this.rest.length < length) return;
      const frame = this.rest.subarray(0, length);
      this.rest = this.rest.subarray(length);
      this.take(frame);
    }
  }
}
