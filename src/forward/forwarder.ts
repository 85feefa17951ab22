import { Histogram } from '../histogram.ts';
import type { Frame } from '../syslog/cutter.ts';
import type { Formatter } from '../syslog/format.ts';
import type { Ledger } from './ledger.ts';
import type { Batch, Sink } from './sink.ts';

/** One sender's share of a batch. */
export interface Share {
  readonly sender: Sender;
  messages: number;
  bytes: number;
  /** All of it is delivered for good. */
  isAcknowledged: boolean;
}

/** Someone whose messages are forwarded: a connection, or what takes datagrams. */
export interface Sender {
  /**
   * Messages are delivered for good, in the order in which batches are: with several
   * partitions that may not be the order in which they came.
   */
  acknowledged(share: Share): void;
  /** Goes on after {@link Forwarder.add} has said no, or as {@link Forwarder.awaitProgress} has promised. */
  proceed(): void;
}

/** A batch with those who have a share in it. */
class Load {
  readonly batch: Batch;
  readonly shares: Share[] = [];
  isFull = false;
  /** As `performance.now()` has it. */
  sentAt = 0;

  constructor(batch: Batch) {
    this.batch = batch;
  }
}

/** What the forwarder works with, and its limit. */
export interface ForwarderOptions {
  sink: Sink;
  ledger: Ledger;
  /** The most unacknowledged bytes of the whole process. */
  maxUnacknowledgedBytes: number;
  /** Runs a task once the input that is ready now has been handed out. */
  afterInput: (task: () => void) => void;
}

/**
 * Group commit. Messages of all senders go to the open batch. It is sent at once
 * if the sink is free, else when the sink has acknowledged the batch before it: a
 * lone message leaves immediately, and under load batches grow by themselves.
 */
export class Forwarder {
  /** From a batch's first sending to its acknowledgement, in seconds; one value for each batch. */
  readonly latency = new Histogram(0.0001, 6);
  /** Messages in each batch. */
  readonly batchSize = new Histogram(1, 5);
  private readonly sink: Sink;
  private readonly ledger: Ledger;
  private readonly maxUnacknowledgedBytes: number;
  private readonly afterInput: (task: () => void) => void;
  private readonly spare: Load[] = [];
  private readonly inFlight = new Set<Load>();
  private inFlightBytes = 0;
  private open: Load;
  private waiting: Sender[] = [];
  /** Those who wait for any acknowledgement. */
  private readonly awaiting = new Set<Sender>();
  private isFlushDue = false;
  private acknowledgedAt = performance.now();
  /** Nothing is unacknowledged. */
  private isResting = true;
  /** When something was acknowledged last, or there was nothing to. */
  private progressAt = 0;
  private readonly idleWaiters: (() => void)[] = [];

  constructor(options: ForwarderOptions) {
    this.sink = options.sink;
    this.ledger = options.ledger;
    this.maxUnacknowledgedBytes = options.maxUnacknowledgedBytes;
    this.afterInput = options.afterInput;
    this.open = new Load(this.sink.createBatch());
    this.sink.onReady = () => this.flush();
  }

  /** Messages that are taken but not acknowledged, counted from the batches. */
  get messagesInFlight(): number {
    let messages = this.open.batch.count;
    for (const { batch } of this.inFlight) messages += batch.count;
    return messages;
  }

  /** Bytes of the batches that are taken but not acknowledged. */
  get bytesInFlight(): number {
    return this.inFlightBytes + (this.open.batch.count > 0 ? this.open.batch.bytes : 0);
  }

  /** Time since the last acknowledgement, or since the start, in ms. */
  get sinceAcknowledgedMs(): number {
    return performance.now() - this.acknowledgedAt;
  }

  /** For how long the batch that was sent first has been unacknowledged, in ms; 0 if there is none. */
  get oldestMs(): number {
    // A set keeps the order in which they were sent.
    for (const { sentAt } of this.inFlight) return performance.now() - sentAt;
    return 0;
  }

  /** For how long messages have been waiting and nothing at all was acknowledged, in ms. */
  get stalledMs(): number {
    return this.isResting ? 0 : performance.now() - this.progressAt;
  }

  /**
   * Takes a frame, if there is room for it.
   * @param share the sender's share that this frame adds to, as the last call returned it
   * @param now the time of arrival, ms since 1970
   * @returns the share it was added to; null if the sender has to wait for
   * {@link Sender.proceed} and then offer the same frame again
   */
  add(
    sender: Sender,
    share: Share | null,
    formatter: Formatter,
    frame: Frame,
    now: number,
  ): Share | null {
    const at = this.makeRoom(formatter.bound(frame), now);
    if (at < 0) {
      this.waiting.push(sender);
      return null;
    }
    const { batch, shares } = this.open;
    const before = batch.bytes;
    batch.commit(formatter.write(frame, batch.out, at, now));

    const { ledger } = this;
    ledger.received += 1;
    ledger.receivedBytes += frame.end - frame.start;
    if (frame.part > 0) ledger.parts += 1;
    if (formatter.error !== '') ledger.unparsed += 1;

    let mine = share;
    if (mine === null || shares[shares.length - 1] !== mine) {
      mine = { sender, messages: 0, bytes: 0, isAcknowledged: false };
      shares.push(mine);
    }
    mine.messages += 1;
    mine.bytes += batch.bytes - before;
    return mine;
  }

  /** A sender is gone, or wants to give nothing more: it waits for nothing. */
  dismiss(sender: Sender): void {
    this.awaiting.delete(sender);
    this.waiting = this.waiting.filter((other) => other !== sender);
  }

  /**
   * Takes back what a sender has in the open batch, which nobody has seen yet: it will send that
   * again. What is on its way stays, and is acknowledged as ever.
   */
  forget(sender: Sender): void {
    const { batch, shares } = this.open;
    const kept = shares.filter((share) => share.sender !== sender);
    if (kept.length === shares.length) return;
    const before = batch.count;
    let share = 0;
    let end = shares[0].messages;
    batch.retain((index) => {
      while (index === end) end += shares[++share].messages;
      return shares[share].sender !== sender;
    });
    shares.splice(0, shares.length, ...kept);
    this.ledger.forgotten += before - batch.count;
    this.open.isFull = false;
    this.resolveIfIdle();
    this.wakeWaiting();
  }

  /** Has a sender go on ({@link Sender.proceed}) once anything is acknowledged, or nothing waits for that. */
  awaitProgress(sender: Sender): void {
    this.awaiting.add(sender);
  }

  /** Has the open batch sent as soon as all input that is ready has been taken. */
  scheduleFlush(): void {
    if (this.isFlushDue || this.open.batch.count === 0) return;
    this.isFlushDue = true;
    this.afterInput(() => {
      this.isFlushDue = false;
      this.flush();
    });
  }

  /** Resolves when everything that was taken is acknowledged. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.idleWaiters.push(resolve);
      this.resolveIfIdle();
    });
  }

  /** @returns where to write a value of at most `bound` bytes, or -1 */
  private makeRoom(bound: number, now: number): number {
    if (!this.open.isFull) {
      const isWithinLimit = this.bytesInFlight + bound <= this.maxUnacknowledgedBytes;
      const isAlone = this.inFlight.size === 0 && this.open.batch.count === 0;
      if (!isWithinLimit && !isAlone) {
        // Nothing more may come, so what is there need not wait to grow.
        this.open.isFull = this.open.batch.count > 0;
        this.sendOpen();
        return -1;
      }
      const at = this.open.batch.begin(bound, now);
      if (at >= 0) return at;
      this.open.isFull = true;
    }
    this.sendOpen();
    return this.open.isFull ? -1 : this.makeRoom(bound, now);
  }

  private flush(): void {
    let hasRoom = false;
    while (this.sendOpen()) hasRoom = true;
    // Those who wait must not be woken in vain: their trying asks for a flush again.
    if (hasRoom) this.wakeWaiting();
  }

  /** @returns whether the sink took the open batch, which then is a new one */
  private sendOpen(): boolean {
    const load = this.open;
    if (load.batch.count === 0) return false;
    if (this.isResting) {
      this.isResting = false;
      this.progressAt = performance.now();
    }
    const sent = this.sink.send(load.batch, load.isFull);
    if (sent === null) return false;
    load.sentAt = performance.now();
    this.inFlight.add(load);
    this.inFlightBytes += load.batch.bytes;
    this.open = this.spare.pop() ?? new Load(this.sink.createBatch());
    sent.then(() => this.settle(load));
    return true;
  }

  private settle(load: Load): void {
    this.inFlight.delete(load);
    this.inFlightBytes -= load.batch.bytes;
    this.ledger.acknowledged += load.batch.count;
    this.acknowledgedAt = this.progressAt = performance.now();
    this.latency.observe((this.acknowledgedAt - load.sentAt) / 1000);
    this.batchSize.observe(load.batch.count);
    // All of them first, so that a sender with several shares hears of all at once.
    for (const share of load.shares) share.isAcknowledged = true;
    for (const share of load.shares) share.sender.acknowledged(share);
    load.batch.clear();
    load.shares.length = 0;
    load.isFull = false;
    if (this.hasUseFor(load)) this.spare.push(load);
    while (this.sendOpen());
    this.wakeWaiting();
    this.wakeAwaiting();
    this.resolveIfIdle();
  }

  /** Empty batches are kept for their next use, as many as can be on their way at once. */
  private hasUseFor({ batch }: Load): boolean {
    return this.spare.length * batch.out.length < this.maxUnacknowledgedBytes;
  }

  /** Lets those who wait try again, each once and in the order of their coming. */
  private wakeWaiting(): void {
    if (this.waiting.length === 0) return;
    const woken = this.waiting;
    this.waiting = [];
    for (let i = 0; i < woken.length; i++) {
      woken[i].proceed();
      if (this.waiting.length > 0) {
        // Still no room: the rest keep their turn, before the one that just failed.
        this.waiting = [...woken.slice(i + 1), ...this.waiting];
        return;
      }
    }
  }

  private wakeAwaiting(): void {
    const woken = [...this.awaiting];
    this.awaiting.clear();
    for (const sender of woken) sender.proceed();
  }

  private resolveIfIdle(): void {
    if (this.inFlight.size > 0 || this.open.batch.count > 0) return;
    this.isResting = true;
    for (const resolve of this.idleWaiters.splice(0)) resolve();
    this.wakeAwaiting();
  }
}
