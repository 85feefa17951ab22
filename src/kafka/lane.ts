import { Backoff } from '../backoff.ts';
import type { Log } from '../log.ts';
import type { Cluster } from './cluster.ts';
import { classify, describeError, type Verdict } from './errors.ts';
import type { BatchLimits, ProducerIdentity, RecordBatch } from './record-batch.ts';
import { Trouble } from './trouble.ts';

/** A sequence number is 31 bits and then begins again at 0. */
const SEQUENCE_MASK = 0x7fffffff;
/** Batches are not made smaller than this, whatever the topic's limit. */
const MIN_BATCH_BYTES = 1_024;

/** An answer that takes longer is worth a line in the log, in ms. */
const SLOW_MS = 5_000;

/** What a lane works with; all but the partition is shared by a sink's lanes. */
export interface LaneOptions {
  topic: string;
  partition: number;
  producer: ProducerIdentity;
  cluster: Cluster;
  log: Log;
  limits: BatchLimits;
  createBatch: () => RecordBatch;
  /** Cuts a value into values of at most so many bytes; null if that is too few. */
  split: (value: Uint8Array, maxBytes: number) => Uint8Array[] | null;
}

/** A value, and when it arrived, in ms since 1970. */
interface Arrived {
  value: Uint8Array;
  timestamp: number;
}

/** What a try came to, when it need not be repeated as it is. */
type Outcome = Extract<Verdict, 'delivered' | 'too large'>;

/**
 * The way to one partition: one batch at a time, tried until the partition's
 * in-sync replicas have it. All tries of a batch have the same partition, producer
 * id and sequence, so that the broker finds the repeated ones (KIP-98).
 */
export class Lane {
  readonly partition: number;
  isBusy = false;
  /** How often a batch was tried again. */
  retries = 0;
  /** Why its batch is not delivered. */
  readonly trouble: Trouble;
  private readonly options: LaneOptions;
  private producer: ProducerIdentity;
  private sequence = 0;

  constructor(options: LaneOptions) {
    this.options = options;
    this.partition = options.partition;
    this.producer = options.producer;
    this.trouble = new Trouble(
      options.log,
      `topic ${options.topic}, partition ${options.partition}`,
    );
  }

  /** Resolves when every value of the batch is in the log. */
  async deliver(batch: RecordBatch): Promise<void> {
    this.isBusy = true;
    await this.deliverWhole(batch);
    this.isBusy = false;
  }

  private async deliverWhole(batch: RecordBatch): Promise<void> {
    if ((await this.tryForEver(batch)) === 'delivered') return;
    if (batch.count > 1) await this.deliverHalves(batch);
    else await this.deliverParts(batch.records()[0]);
  }

  private async tryForEver(batch: RecordBatch): Promise<Outcome> {
    const { cluster, log, topic } = this.options;
    const backoff = new Backoff();
    batch.seal(this.producer, this.sequence);
    for (;;) {
      const verdict = await this.try(batch);
      if (verdict === 'delivered') {
        this.sequence = (this.sequence + batch.count) & SEQUENCE_MASK;
        this.trouble.isOver();
        return verdict;
      }
      if (verdict === 'too large') return verdict;
      await backoff.wait();
      this.retries += 1;
      if (verdict === 'new identity') {
        log.warn(
          `topic ${topic}, partition ${this.partition}: the broker has lost track of this producer; going on ` +
            'as a new one (what it had in flight may be in the topic twice)',
        );
        await this.renewIdentity();
        batch.seal(this.producer, this.sequence);
      } else {
        await cluster.refresh();
      }
    }
  }

  /** Sends the batch once. */
  private async try(batch: RecordBatch): Promise<Verdict> {
    const { cluster, topic } = this.options;
    const where = `topic ${topic}, partition ${this.partition}`;
    const leader = cluster.leader(this.partition);
    if (leader === undefined) {
      const isThere = cluster.partitions.includes(this.partition);
      const reason = isThere ? "its leader can't be reached" : 'the topic has it no more';
      this.trouble.is(`${where}: ${reason}; a batch is held for it`);
      return 'retry';
    }
    const slow = setTimeout(() => {
      leader.isSlow = true;
      const held = 'still waiting, nothing is lost; rsyslog queues meanwhile';
      this.trouble.is(`${where}: no answer for 5 s: ${held}`);
    }, SLOW_MS);
    try {
      const { errorCode } = await leader.produce(batch, topic, this.partition);
      leader.isSlow = false;
      const verdict = classify(errorCode);
      if (verdict === 'retry' || verdict === 'hold') {
        const { type, message } = describeError(errorCode);
        const advice = verdict === 'hold' ? '; this needs a person: the senders are held' : '';
        this.trouble.is(`${where}: ${type}: ${message}${advice}`);
      }
      return verdict;
    } catch (error) {
      const reason = (error as Error).message;
      this.trouble.is(`${where}: ${reason}; trying again`);
      return 'retry';
    } finally {
      clearTimeout(slow);
    }
  }

  private async renewIdentity(): Promise<void> {
    const { cluster } = this.options;
    const backoff = new Backoff();
    for (;;) {
      try {
        const broker = cluster.leader(this.partition) ?? cluster.anyBroker();
        if (broker) {
          this.producer = await broker.initProducerId();
          this.sequence = 0;
          return;
        }
      } catch (error) {
        this.trouble.is(`no producer id yet: ${(error as Error).message}`);
      }
      await cluster.refresh();
      await backoff.wait();
    }
  }

  /** The topic takes only smaller batches: this one goes in two, and the next are made smaller. */
  private async deliverHalves(batch: RecordBatch): Promise<void> {
    const { limits, log, topic, createBatch } = this.options;
    const half = Math.max(MIN_BATCH_BYTES, Math.floor(batch.bytes / 2));
    if (half < limits.batchBytes) {
      limits.batchBytes = half;
      log.warn(
        `topic ${topic} does not take batches of ${batch.bytes} bytes: making them of at most ` +
          `${half} (for more speed, raise the topic's max.message.bytes and restart)`,
      );
    }
    const records = batch.records();
    const middle = Math.ceil(records.length / 2);
    for (const some of [records.slice(0, middle), records.slice(middle)]) {
      const part = createBatch();
      for (const { value, timestamp } of some) part.append(value, timestamp);
      await this.deliverWhole(part);
    }
  }

  /** The topic does not take even one value: it goes in parts that are small enough. */
  private async deliverParts({ value, timestamp }: Arrived): Promise<void> {
    const { log, topic, split, createBatch } = this.options;
    log.repeated(
      'record too large',
      `topic ${topic} does not take a record of ${value.length} bytes: it goes in parts ` +
        "(raise the topic's max.message.bytes to get it whole)",
    );
    let size = Math.floor(value.length / 2);
    let parts = split(value, size);
    for (let i = 0; parts !== null && i < parts.length; i++) {
      const part = createBatch();
      part.append(parts[i], timestamp);
      if ((await this.tryForEver(part)) === 'delivered') continue;
      if (i > 0) {
        await this.deliverParts({ value: parts[i], timestamp });
      } else {
        size = Math.floor(size / 2);
        parts = split(value, size);
        i = -1;
      }
    }
    if (parts === null) await this.hold({ value, timestamp });
  }

  /** Not even one character fits with its fields: only a larger limit helps. */
  private async hold({ value, timestamp }: Arrived): Promise<void> {
    const { topic, createBatch } = this.options;
    const batch = createBatch();
    batch.append(value, timestamp);
    const backoff = new Backoff();
    while ((await this.tryForEver(batch)) !== 'delivered') {
      this.trouble.is(
        `topic ${topic} takes no record of ${value.length} bytes and no parts of it either: ` +
          'raise its max.message.bytes; until then the senders are held',
      );
      await backoff.wait();
    }
  }
}
