/**
 * Values on their way to one place, filled by the forwarder and sent by the sink
 * that made it. It is the unit of sending, acknowledging and retrying.
 */
export interface Batch {
  /** Where values are written; valid until the batch is cleared. */
  readonly out: Uint8Array;
  /** How many values it holds. */
  readonly count: number;
  /** Its size in bytes. */
  readonly bytes: number;
  /**
   * Makes room for the next value. An empty batch has room for any value.
   * @param bound the most bytes that the value can take
   * @param now the time of arrival, ms since 1970
   * @returns the offset in `out` at which to write it, or -1 if the batch is full
   */
  begin(bound: number, now: number): number;
  /** Takes the value that was written from where {@link begin} said up to `end`. */
  commit(end: number): void;
  /** Keeps only some of the values; is asked for each one's number, in their order from 0 on. */
  retain(isKept: (index: number) => boolean): void;
  /** Empties it for its next use. */
  clear(): void;
}

/** What keeps a sink from delivering, now. */
export interface Problem {
  /** For people. */
  reason: string;
  /** Since when, as `performance.now()` has it. */
  since: number;
  /** Nothing can be delivered; else only a part of it. */
  isTotal: boolean;
}

/** What a sink knows of where it writes to, for people: what JSON can say. */
export type SinkStatus = Readonly<Record<string, unknown>>;

/** Where batches go. It knows nothing of where they came from. */
export interface Sink<B extends Batch = Batch> {
  /** For people: what it writes to. */
  readonly description: string;
  /** Resolves when batches can be sent; until then nobody should be let in. */
  open(): Promise<void>;
  /** A new, empty batch. */
  createBatch(): B;
  /**
   * Starts sending a batch if it can be sent right now.
   * @param isFull whether the batch can't grow; one that can may be told to wait
   * for the request before it, so that many small messages share one
   * @returns resolves when the batch is delivered for good, however long that takes;
   * null if it must be offered again, after an acknowledgement or {@link onReady}
   */
  send(batch: B, isFull: boolean): Promise<void> | null;
  /** How often a batch had to be sent again, since the start. */
  readonly retries: number;
  /** All that is known to be wrong with it now. */
  problems(): Problem[];
  status(): SinkStatus;
  /** Called when a batch that was turned away may be offered again. */
  onReady: () => void;
  /**
   * Looks up anew where it sends to, if that can change.
   * @throws {Error} that says why it did not succeed; all stays as it was
   */
  rediscover(): Promise<void>;
  /** Ends its connections; called when nothing is on its way any more. */
  close(): Promise<void>;
}
