import type { Batch, Sink, SinkStatus } from '../forward/sink.ts';

const LF = 0x0a;
/** The size beyond which no value is added to a batch. */
const BATCH_BYTES = 262_144;

/** Values with a line end behind each. */
class Lines implements Batch {
  readonly out: Uint8Array;
  /** Where each value ends, its line end included. */
  private readonly ends: number[] = [];

  constructor(capacity: number) {
    this.out = new Uint8Array(capacity);
  }

  get count(): number {
    return this.ends.length;
  }

  get bytes(): number {
    return this.ends.at(-1) ?? 0;
  }

  begin(bound: number): number {
    return this.count > 0 && this.bytes + bound + 1 > BATCH_BYTES ? -1 : this.bytes;
  }

  commit(end: number): void {
    this.out[end] = LF;
    this.ends.push(end + 1);
  }

  retain(isKept: (index: number) => boolean): void {
    const ends = this.ends.splice(0);
    for (const [index, end] of ends.entries()) {
      if (!isKept(index)) continue;
      const to = this.bytes;
      const from = index === 0 ? 0 : ends[index - 1];
      this.out.copyWithin(to, from, end);
      this.ends.push(to + end - from);
    }
  }

  clear(): void {
    this.ends.length = 0;
  }
}

/** How the sink writes. */
export interface StdoutSinkOptions {
  /** Resolves when the system has taken the bytes. */
  write: (bytes: Uint8Array) => Promise<void>;
  /** Nobody reads any more: nothing can be delivered from now on. */
  onBroken: (error: Error) => void;
  /** The most bytes that a single value can take. */
  maxValueBytes: number;
}

/** Writes each value as a line to standard output, as fast as its reader reads. */
export class StdoutSink implements Sink<Lines> {
  readonly description = 'standard output';
  readonly retries = 0;
  onReady: () => void = () => {};
  private readonly options: StdoutSinkOptions;
  private isBusy = false;

  constructor(options: StdoutSinkOptions) {
    this.options = options;
  }

  async open(): Promise<void> {}

  createBatch(): Lines {
    return new Lines(Math.max(BATCH_BYTES, this.options.maxValueBytes + 1));
  }

  send(batch: Lines): Promise<void> | null {
    if (this.isBusy) return null;
    this.isBusy = true;
    return this.write(batch);
  }

  problems(): [] {
    return [];
  }

  status(): SinkStatus {
    return {};
  }

  async rediscover(): Promise<void> {}

  async close(): Promise<void> {}

  private async write(batch: Lines): Promise<void> {
    try {
      await this.options.write(batch.out.subarray(0, batch.bytes));
      this.isBusy = false;
    } catch (error) {
      this.options.onBroken(error as Error);
      await new Promise(() => {});
    }
  }
}
