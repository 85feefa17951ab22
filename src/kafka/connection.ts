import type { ISocketFactory } from 'kafkajs';
import Broker from 'kafkajs/src/broker/index.js';
import ConnectionPool, {
  type Connection,
  type RequestQueue,
} from 'kafkajs/src/network/connectionPool.js';
import { requests } from 'kafkajs/src/protocol/requests/index.js';
import type { Address } from '../address.ts';
import {
  PRODUCE_API_KEY,
  type ProduceResult,
  produceRequest,
  produceVersion,
  readProduceResponse,
} from './produce.ts';
import type { ProducerIdentity, RecordBatch } from './record-batch.ts';

const METADATA_API_KEY = 3;
/** Far more than a large cluster's metadata. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** DescribeConfigs' number for a topic. */
const TOPIC_RESOURCE = 2;

/** What a broker tells of the cluster and of one topic (Kafka's Metadata API). */
export interface Metadata {
  brokers: { nodeId: number; host: string; port: number }[];
  topicMetadata: {
    topic: string;
    topicErrorCode: number;
    partitionMetadata: {
      partitionId: number;
      partitionErrorCode: number;
      leader: number;
      replicas: number[];
      isr: number[];
    }[];
  }[];
}

/** How to connect to a broker. */
export interface ConnectionOptions {
  clientId: string;
  socketFactory: ISocketFactory;
  /** How long opening may take, in ms. */
  connectTimeoutMs: number;
  /** How long an answer may take, in ms; after it the connection is closed. */
  requestTimeoutMs: number;
}

/** kafkajs's internals log what we report ourselves, better. */
const silentLogger = {
  namespace: () => silentLogger,
  debug() {},
  info() {},
  warn() {},
  error() {},
};

/**
 * A connection to one broker. All that reaches into kafkajs is here: it opens the
 * connection and agrees on versions, and knows Metadata and InitProducerId. Produce
 * requests are ours, written to its socket as they are.
 */
export class BrokerConnection {
  readonly address: Address;
  /** Batches that are sent and not answered. */
  inFlight = 0;
  /** An answer has been waited for unusually long: give it nothing more for now. */
  isSlow = false;
  /** Called when its socket is closed, by whomever. */
  onClosed: () => void = () => {};
  private readonly options: ConnectionOptions;
  private readonly pool: ConnectionPool;
  private readonly broker: Broker;

  constructor(address: Address, options: ConnectionOptions) {
    this.address = address;
    this.options = options;
    this.pool = new ConnectionPool({
      ...address,
      clientId: options.clientId,
      socketFactory: (args) => {
        const socket = options.socketFactory(args);
        socket.once('close', () => this.onClosed());
        return socket;
      },
      connectionTimeout: options.connectTimeoutMs,
      requestTimeout: options.requestTimeoutMs,
      enforceRequestTimeout: true,
      logger: silentLogger,
    });
    for (const connection of this.pool.pool) {
      quieten(connection.requestQueue);
      this.guard(connection);
    }
    this.broker = new Broker({ connectionPool: this.pool, logger: silentLogger });
  }

  get isOpen(): boolean {
    return this.broker.isConnected();
  }

  /**
   * Connects and agrees on the versions of the protocol.
   * @throws {Error} that says why; the connection is closed then
   */
  async open(): Promise<void> {
    try {
      await this.within(this.options.connectTimeoutMs, this.broker.connect());
    } catch (error) {
      this.close(error as Error);
      throw error;
    }
  }

  /**
   * Asks for the cluster's brokers and a topic's partitions. Their errors are in the answer.
   * @param create whether the topic may be created where brokers do that by themselves
   * @throws {Error} if there is no answer; the connection is closed then
   */
  async metadata(topic: string, create = true): Promise<Metadata> {
    const lookup = this.broker.lookupRequest(METADATA_API_KEY, requests.Metadata);
    const { request, response } = lookup<Metadata>({
      topics: [topic],
      allowAutoTopicCreation: create,
    });
    // kafkajs's own parse throws away all partitions if one of them has an error.
    const exchange = { request, response: { ...response, parse: async (data: Metadata) => data } };
    return this.within(this.options.requestTimeoutMs, this.pool.send(exchange));
  }

  /**
   * Asks for a topic's settings (Kafka's DescribeConfigs API).
   * @throws {Error} if the broker refuses, or there is no answer
   */
  async topicSettings(topic: string, names: string[]): Promise<Map<string, string>> {
    const { resources } = await this.within(
      this.options.requestTimeoutMs,
      this.broker.describeConfigs({
        resources: [{ type: TOPIC_RESOURCE, name: topic, configNames: names }],
      }),
    );
    const entries = resources.flatMap(({ configEntries }) => configEntries);
    return new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
  }

  /**
   * Asks for a new producer id (KIP-98).
   * @throws {Error} if the broker refuses, or there is no answer
   */
  async initProducerId(): Promise<ProducerIdentity> {
    const { producerId, producerEpoch } = await this.within(
      this.options.requestTimeoutMs,
      this.broker.initProducerId({ transactionalId: null }),
    );
    return { id: BigInt(producerId), epoch: producerEpoch };
  }

  /**
   * Sends a sealed batch and waits for the answer.
   * @throws {Error} if the connection breaks or no answer comes in time: the batch may
   * or may not be in the log then; the connection is closed
   */
  async produce(batch: RecordBatch, topic: string, partition: number): Promise<ProduceResult> {
    const [connection] = this.pool.pool;
    const { clientId, requestTimeoutMs } = this.options;
    const version = produceVersion(this.broker.versions?.[PRODUCE_API_KEY]?.maxVersion ?? 0);
    const correlationId = connection.nextCorrelationId();
    this.inFlight += 1;
    try {
      const { payload } = await new Promise<{ payload: Uint8Array }>((resolve, reject) => {
        const request = produceRequest(batch, {
          version,
          correlationId,
          clientId,
          topic,
          partition,
          timeoutMs: requestTimeoutMs,
        });
        connection.requestQueue.push({
          entry: {
            apiKey: PRODUCE_API_KEY,
            apiName: 'Produce',
            apiVersion: version,
            correlationId,
            resolve,
            reject,
          },
          expectResponse: true,
          requestTimeout: requestTimeoutMs,
          sendRequest: () => connection.socket?.write(request),
        });
      });
      const result = readProduceResponse(payload, version);
      connection.requestQueue.maybeThrottle(result.throttleMs);
      return result;
    } catch (error) {
      this.close(error as Error);
      throw error;
    } finally {
      this.inFlight -= 1;
    }
  }

  /** Drops the connection at once; whoever waits for an answer gets the error. */
  close(reason = new Error('connection closed')): void {
    for (const connection of this.pool.pool) {
      connection.rejectRequests(reason);
      connection.disconnect().catch(() => {});
      connection.socket?.destroy();
    }
  }

  /**
   * What is no Kafka may answer anything: kafkajs throws at it in the socket's event, or waits
   * for as much as it has announced.
   */
  private guard(connection: Connection): void {
    const process = connection.processData.bind(connection);
    connection.processData = (bytes) => {
      try {
        process(bytes);
        if (connection.bytesNeeded > MAX_ANSWER_BYTES) {
          throw new Error(`an answer of ${connection.bytesNeeded} bytes`);
        }
      } catch (error) {
        this.close(new Error(`it does not speak Kafka's protocol (${(error as Error).message})`));
      }
    };
  }

  /** kafkajs leaves a connection open whose answer does not come: close it, unless there was one. */
  private async within<T>(timeoutMs: number, answer: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new Error(`no answer within ${timeoutMs / 1000} s`);
      timer = setTimeout(reject, timeoutMs, error);
    });
    try {
      return await Promise.race([answer, late]);
    } catch (error) {
      answer.catch(() => {});
      if ((error as Error).name !== 'KafkaJSProtocolError') this.close(error as Error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** kafkajs sets a timer for a time long past after each answer, and the runtime warns of it. */
function quieten(queue: RequestQueue): void {
  const schedule = queue.scheduleCheckPendingRequests.bind(queue);
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) schedule();
  };
}
