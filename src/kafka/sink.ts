import type { ISocketFactory } from 'kafkajs';
import { Backoff } from '../backoff.ts';
import type { Problem, Sink, SinkStatus } from '../forward/sink.ts';
import type { Log } from '../log.ts';
import { Cluster, type Discovery } from './cluster.ts';
import { BrokerConnection } from './connection.ts';
import { Lane } from './lane.ts';
import {
  type BatchLimits,
  type ProducerIdentity,
  RECORD_OVERHEAD_BYTES,
  RecordBatch,
} from './record-batch.ts';
import { Trouble } from './trouble.ts';

/** How large batches are made; Kafka's default for a topic's max.message.bytes is 12 bytes more. */
export const BATCH_BYTES = 1_048_576;
/** Room in a batch for its head. */
const BATCH_MARGIN_BYTES = 128;
const CONNECT_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** Where and what the sink writes. */
export interface KafkaSinkOptions {
  discovery: Discovery;
  topic: string;
  clientId: string;
  socketFactory: ISocketFactory;
  log: Log;
  /** The most bytes that a single value can take. */
  maxValueBytes: number;
  /** Cuts a value into values of at most so many bytes; null if that is too few. */
  split: (value: Uint8Array, maxBytes: number) => Uint8Array[] | null;
}

/** Writes batches to a topic's partitions, with acks=all and exactly once each. */
export class KafkaSink implements Sink<RecordBatch> {
  readonly description: string;
  onReady: () => void = () => {};
  private readonly options: KafkaSinkOptions;
  private readonly cluster: Cluster;
  private readonly producerTrouble: Trouble;
  private readonly limits: BatchLimits = { batchBytes: BATCH_BYTES };
  private readonly capacity: number;
  private readonly laneOf = new Map<number, Lane>();
  /** Those of the partitions that the topic has now. */
  private lanes: Lane[] = [];
  private nextLane = 0;
  private producer: ProducerIdentity | undefined;

  constructor(options: KafkaSinkOptions) {
    const { discovery, topic, log, clientId, socketFactory, maxValueBytes } = options;
    this.options = options;
    this.producerTrouble = new Trouble(log, 'producer id');
    this.description = `Kafka topic ${topic} (${discovery.description})`;
    this.capacity = Math.max(
      BATCH_BYTES,
      maxValueBytes + RECORD_OVERHEAD_BYTES + BATCH_MARGIN_BYTES,
    );
    this.cluster = new Cluster({
      discovery,
      topic,
      log,
      connect: (address) =>
        new BrokerConnection(address, {
          clientId,
          socketFactory,
          connectTimeoutMs: CONNECT_TIMEOUT_MS,
          requestTimeoutMs: REQUEST_TIMEOUT_MS,
        }),
      onRefreshed: () => this.refreshed(),
    });
  }

  async open(): Promise<void> {
    const backoff = new Backoff();
    await this.cluster.refresh();
    while (this.producer === undefined) {
      try {
        this.producer = await this.cluster.anyBroker()?.initProducerId();
        if (this.producer) break;
      } catch (error) {
        this.producerTrouble.is(`no producer id yet: ${(error as Error).message}`);
      }
      await backoff.wait();
      await this.cluster.refresh();
    }
    this.producerTrouble.isOver();
    this.refreshed();
  }

  createBatch(): RecordBatch {
    return new RecordBatch(this.limits, this.capacity);
  }

  send(batch: RecordBatch, isFull: boolean): Promise<void> | null {
    const lane = this.pickLane(isFull);
    return lane ? lane.deliver(batch) : null;
  }

  get retries(): number {
    let retries = 0;
    for (const lane of this.laneOf.values()) retries += lane.retries;
    return retries;
  }

  problems(): Problem[] {
    const { trouble, partial } = this.cluster;
    const parts = [partial, ...[...this.laneOf.values()].map((lane) => lane.trouble)];
    return [
      ...[trouble, this.producerTrouble].flatMap((total) => total.asProblem(true)),
      ...parts.flatMap((part) => part.asProblem(false)),
    ];
  }

  status(): SinkStatus {
    const { topic, discovery } = this.options;
    const { brokers, leaders } = this.cluster.status();
    return {
      topic,
      found_in: discovery.description,
      brokers,
      partitions: [...this.laneOf.values()].map(({ partition, isBusy, retries, trouble }) => ({
        id: partition,
        leader: leaders.get(partition) ?? null,
        batch_in_flight: isBusy,
        retries,
        problem: trouble.reason ?? null,
      })),
    };
  }

  /** Looks the brokers up again where they are registered. */
  rediscover(): Promise<void> {
    return this.cluster.rediscover();
  }

  async close(): Promise<void> {
    this.cluster.close();
  }

  /**
   * The free lane whose leader has the least to do, in turn among equals, so that a
   * broker that hangs does not collect batches. A batch that can still grow goes only to
   * a broker that has nothing to do: while it works, more messages can join.
   */
  private pickLane(isFull: boolean): Lane | undefined {
    const { lanes } = this;
    let isLeaderMissing = lanes.length === 0;
    let best: Lane | undefined;
    let least = isFull ? Number.POSITIVE_INFINITY : 1;
    for (let i = 0; i < lanes.length && least > 0; i++) {
      const lane = lanes[(this.nextLane + i) % lanes.length];
      if (lane.isBusy) continue;
      const leader = this.cluster.leader(lane.partition);
      if (leader === undefined) isLeaderMissing = true;
      else if (!leader.isSlow && leader.inFlight < least) {
        best = lane;
        least = leader.inFlight;
      }
    }
    if (best) this.nextLane = (lanes.indexOf(best) + 1) % lanes.length;
    // Idle connections may have been closed: nobody else would notice.
    else if (isLeaderMissing) this.cluster.leaderIsMissing();
    return best;
  }

  private refreshed(): void {
    const { topic, log, split } = this.options;
    const { producer, cluster, limits } = this;
    if (producer === undefined) return;
    this.lanes = cluster.partitions.map((partition) => {
      // Kept for ever: were a partition's sequence to begin anew, its broker would take
      // new batches for repeated ones.
      const known = this.laneOf.get(partition);
      if (known) return known;
      const createBatch = () => this.createBatch();
      const options = { topic, partition, producer, cluster, log, limits, createBatch, split };
      const lane = new Lane(options);
      this.laneOf.set(partition, lane);
      return lane;
    });
    this.onReady();
  }
}
