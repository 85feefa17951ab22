/** A stream whose reading can be stopped. */
export interface Pausable {
  pauseReading(): void;
  resumeReading(): void;
}

/**
 * Bounds the bytes that all streams together have read and the forwarder has not
 * taken. A stream that waits holds a chunk; with a thousand of them that adds up, so
 * beyond the limit nobody is read until half of it is taken.
 */
export class Intake {
  /** Nobody is to be read now. */
  isClosed = false;
  private readonly limit: number;
  private readonly streams: Iterable<Pausable>;
  private held = 0;

  /**
   * @param limit in bytes; it can be exceeded by one chunk
   * @param streams all that there are, kept up to date by their owner
   */
  constructor(limit: number, streams: Iterable<Pausable>) {
    this.limit = limit;
    this.streams = streams;
  }

  /** A waiting stream holds so many bytes more. */
  hold(bytes: number): void {
    this.held += bytes;
    if (this.isClosed || this.held <= this.limit) return;
    this.isClosed = true;
    for (const stream of this.streams) stream.pauseReading();
  }

  /** A stream that held so many bytes waits no more. */
  release(bytes: number): void {
    this.held -= bytes;
    if (!this.isClosed || this.held > this.limit / 2) return;
    this.isClosed = false;
    for (const stream of this.streams) stream.resumeReading();
  }
}
