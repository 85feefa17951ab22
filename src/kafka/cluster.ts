import { type Address, formatAddress } from '../address.ts';
import { Backoff } from '../backoff.ts';
import type { Log } from '../log.ts';
import type { BrokerConnection, Metadata } from './connection.ts';
import { describeTopicError } from './errors.ts';
import { Trouble } from './trouble.ts';

/** How often metadata is read again although nothing went wrong, for new partitions. */
const METADATA_MAX_AGE_MS = 300_000;
/** How soon it is read again while some leaders can't be reached. */
const MISSING_LEADER_MS = 1_000;

/** So many partitions are named in a text. */
const MAX_LISTED = 10;

/** Where brokers can be found when no known one answers. */
export interface Discovery {
  /** For people: where it looks. */
  readonly description: string;
  /** @throws {Error} that says for a person why there is nothing */
  find(): Promise<Address[]>;
}

/** What is to be known, and how to ask. */
export interface ClusterOptions {
  discovery: Discovery;
  topic: string;
  connect: (address: Address) => BrokerConnection;
  log: Log;
  /** Called each time the leaders are known anew. */
  onRefreshed: () => void;
}

/** What is known now, for people. */
export interface ClusterStatus {
  /** Connected are those that lead a partition. */
  brokers: { id: number; address: string; connected: boolean }[];
  /** Broker ids by partition. */
  leaders: ReadonlyMap<number, number>;
}

/**
 * What is known of the brokers: who leads each partition of the topic, and a
 * connection to each leader. Whenever no known broker answers they are looked for
 * again, for ever.
 */
export class Cluster {
  /** The ids of the topic's partitions, as last told. */
  partitions: number[] = [];
  /** Why no partition's leader can be reached. */
  readonly trouble: Trouble;
  /** Why some partitions' leaders can't be reached. */
  readonly partial: Trouble;
  private readonly options: ClusterOptions;
  private readonly leaders = new Map<number, number>();
  private readonly connections = new Map<number, BrokerConnection>();
  private brokers: Metadata['brokers'] = [];
  /** On the clock that never jumps. */
  private refreshedAt = Number.NEGATIVE_INFINITY;
  private refreshing: Promise<void> | undefined;
  private isClosed = false;
  private nextRefresh: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ClusterOptions) {
    this.options = options;
    this.trouble = new Trouble(options.log, 'Kafka');
    this.partial = new Trouble(options.log, `topic ${options.topic}`);
  }

  /** The open connection to a partition's leader, if there is one now. */
  leader(partition: number): BrokerConnection | undefined {
    const connection = this.connections.get(this.leaders.get(partition) ?? -1);
    return connection?.isOpen ? connection : undefined;
  }

  /** Any open connection. */
  anyBroker(): BrokerConnection | undefined {
    for (const connection of this.connections.values()) if (connection.isOpen) return connection;
    return undefined;
  }

  /** What is known: each broker, and who leads each partition. */
  status(): ClusterStatus {
    return {
      brokers: this.brokers.map(({ nodeId, host, port }) => ({
        id: nodeId,
        address: formatAddress({ host, port }),
        connected: this.connections.get(nodeId)?.isOpen ?? false,
      })),
      leaders: this.leaders,
    };
  }

  /** Resolves when the leaders have been asked for anew, however long that takes. */
  refresh(): Promise<void> {
    return this.refreshing ?? this.exclusively(this.refreshForEver());
  }

  /** Sees to it that leaders are asked for soon, but not all the time; for when one is gone. */
  leaderIsMissing(): void {
    if (this.refreshing) return;
    const wait = this.refreshedAt + MISSING_LEADER_MS - performance.now();
    clearTimeout(this.nextRefresh);
    if (wait > 0) this.nextRefresh = setTimeout(() => this.refresh(), wait);
    else this.refresh();
  }

  /**
   * Looks the brokers up again where they are registered, not only among those known.
   * @throws {Error} that says why it found none; what was known is kept then
   */
  async rediscover(): Promise<void> {
    while (this.refreshing) await this.refreshing;
    await this.exclusively(this.askFoundBrokers().then((metadata) => this.apply(metadata)));
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.nextRefresh);
    for (const connection of this.connections.values()) connection.close();
    this.connections.clear();
  }

  /** Lets others wait for this work instead of doing it again, and sees to the next time. */
  private exclusively(work: Promise<void>): Promise<void> {
    clearTimeout(this.nextRefresh);
    const done = work.finally(() => {
      this.refreshing = undefined;
      this.refreshedAt = performance.now();
      if (this.isClosed) return;
      const isWhole = this.lookForMissing();
      const soon = isWhole ? METADATA_MAX_AGE_MS : MISSING_LEADER_MS;
      this.nextRefresh = setTimeout(() => this.refresh(), soon);
      this.options.onRefreshed();
    });
    this.refreshing = done.catch(() => {});
    return done;
  }

  /** @returns whether every partition's leader can be reached */
  private lookForMissing(): boolean {
    const missing = this.partitions.filter((partition) => !this.leader(partition));
    if (missing.length === 0) {
      this.partial.isOver();
    } else if (missing.length < this.partitions.length) {
      const list = missing.slice(0, MAX_LISTED).join(', ');
      const more = missing.length > MAX_LISTED ? ` and ${missing.length - MAX_LISTED} more` : '';
      this.partial.is(
        `topic ${this.options.topic}: the leaders of partition ${list}${more} can't be reached; ` +
          'messages go to the others',
      );
    }
    return missing.length === 0;
  }

  private async refreshForEver(): Promise<void> {
    const { discovery, topic } = this.options;
    const backoff = new Backoff();
    while (!this.isClosed) {
      try {
        await this.apply((await this.askKnownBrokers()) ?? (await this.askFoundBrokers()));
        if (this.partitions.some((partition) => this.leader(partition))) {
          this.trouble.isOver();
          return;
        }
        this.trouble.is(`topic ${topic}: no partition has a leader that can be reached; waiting`);
      } catch (error) {
        const reason = (error as Error).message;
        this.trouble.is(`waiting for Kafka (${discovery.description}): ${reason}`);
      }
      await backoff.wait();
    }
  }

  private async askKnownBrokers(): Promise<Metadata | undefined> {
    const open = [...this.connections.values()].filter(({ isOpen }) => isOpen);
    // One that is busy or hangs would keep everybody waiting.
    const promptest = (a: BrokerConnection, b: BrokerConnection) =>
      Number(a.isSlow) - Number(b.isSlow) || a.inFlight - b.inFlight;
    for (const connection of open.sort(promptest)) {
      try {
        return await connection.metadata(this.options.topic);
      } catch {
        // The next one may answer.
      }
    }
    return this.ask(this.brokers).catch(() => undefined);
  }

  private async askFoundBrokers(): Promise<Metadata> {
    const { discovery, log } = this.options;
    const found = await discovery.find();
    log.debug(
      `asking the brokers of ${discovery.description}: ${found.map(formatAddress).join(', ')}`,
    );
    return this.ask(found);
  }

  /** Asks all of them at once. @throws why none answered */
  private async ask(addresses: Address[]): Promise<Metadata> {
    try {
      return await Promise.any(addresses.map((address) => this.askOne(address)));
    } catch (error) {
      const reasons = (error as AggregateError).errors.map(({ message }: Error) => message);
      throw new Error(reasons.join('; ') || 'no broker is known');
    }
  }

  private async askOne(address: Address): Promise<Metadata> {
    const connection = this.options.connect(address);
    try {
      await connection.open();
      return await connection.metadata(this.options.topic);
    } catch (error) {
      throw new Error(`${formatAddress(address)}: ${(error as Error).message}`);
    } finally {
      connection.close();
    }
  }

  /** Takes over what a broker told. @throws {Error} if the topic can't be produced to */
  private async apply(metadata: Metadata): Promise<void> {
    this.brokers = metadata.brokers;
    const told = metadata.topicMetadata.find(({ topic }) => topic === this.options.topic);
    const code = told?.topicErrorCode ?? 0;
    if (code !== 0) {
      const problem = describeTopicError(code, this.options.topic, metadata.brokers[0]);
      throw new Error(`${problem}; until then the senders are held`);
    }

    this.leaders.clear();
    this.partitions = [];
    for (const { partitionId, leader } of told?.partitionMetadata ?? []) {
      this.partitions.push(partitionId);
      if (leader >= 0) this.leaders.set(partitionId, leader);
    }
    this.partitions.sort((a, b) => a - b);
    await this.connectLeaders(metadata.brokers);
  }

  private async connectLeaders(brokers: Metadata['brokers']): Promise<void> {
    const needed = new Set(this.leaders.values());
    const at = new Map(brokers.map((broker) => [broker.nodeId, broker]));
    for (const [nodeId, connection] of this.connections) {
      const broker = at.get(nodeId);
      const { host, port } = connection.address;
      const hasMoved = broker?.host !== host || broker?.port !== port;
      if (hasMoved || !needed.has(nodeId) || !connection.isOpen) {
        this.connections.delete(nodeId);
        connection.close();
      }
    }
    const missing = brokers.filter(
      ({ nodeId }) => needed.has(nodeId) && !this.connections.has(nodeId),
    );
    await Promise.all(
      missing.map(async ({ nodeId, host, port }) => {
        const connection = this.options.connect({ host, port });
        try {
          await connection.open();
          if (this.isClosed) connection.close();
          else this.keep(nodeId, connection);
          this.options.log.debug(
            `connected to Kafka broker ${nodeId} at ${formatAddress({ host, port })}`,
          );
          this.options.log.recovered(`Kafka broker ${nodeId}`);
        } catch (error) {
          const where = formatAddress({ host, port });
          this.options.log.repeated(
            `Kafka broker ${nodeId}`,
            `Kafka broker ${nodeId} at ${where} can't be reached: ${(error as Error).message}`,
          );
        }
      }),
    );
  }

  /** Without a batch to send nobody else would notice that it is lost. */
  private keep(nodeId: number, connection: BrokerConnection): void {
    this.connections.set(nodeId, connection);
    connection.onClosed = () => {
      if (this.connections.get(nodeId) !== connection || this.isClosed) return;
      this.options.log.debug(`the connection to Kafka broker ${nodeId} is closed`);
      this.leaderIsMissing();
    };
  }
}
