import { REQUEST_HEAD_BYTES, type RecordBatch } from './record-batch.ts';

/** The Produce API's key. */
export const PRODUCE_API_KEY = 0;
/** From 3, which is the oldest that carries record batches, to the last non-flexible one we need. */
const MIN_VERSION = 3;
const MAX_VERSION = 7;
/** From this on a partition's answer also holds the log's start offset. */
const VERSION_WITH_LOG_START_OFFSET = 5;

/** acks: all in-sync replicas */
const ACKS_ALL = -1;
const NULL_LENGTH = -1;

const encoder = new TextEncoder();

/** What a broker says of one batch. */
export interface ProduceResult {
  /** Kafka's error code, 0 for none. */
  errorCode: number;
  /** How long the client shall send nothing, in ms (KIP-219). */
  throttleMs: number;
}

/** The version to use with a broker that has versions up to `brokerMax`. */
export function produceVersion(brokerMax: number): number {
  return Math.max(MIN_VERSION, Math.min(MAX_VERSION, brokerMax));
}

/**
 * Writes a Produce request (Kafka protocol guide, versions 3–7) for one batch of one
 * partition into the room before the batch.
 * @param timeoutMs how long the broker waits for its replicas
 * @returns the whole request, its length first: a view into the batch
 */
export function produceRequest(
  batch: RecordBatch,
  request: {
    version: number;
    correlationId: number;
    clientId: string;
    topic: string;
    partition: number;
    timeoutMs: number;
  },
): Uint8Array {
  const clientId = encoder.encode(request.clientId);
  const topic = encoder.encode(request.topic);
  const headBytes = 4 + 2 + 2 + 4 + 2 + clientId.length + 2 + 2 + 4 + 4 + 2 + topic.length + 12;
  const start = REQUEST_HEAD_BYTES - headBytes;
  const view = new DataView(batch.out.buffer);
  let at = start;
  const int16 = (value: number) => {
    view.setInt16(at, value);
    at += 2;
  };
  const int32 = (value: number) => {
    view.setInt32(at, value);
    at += 4;
  };
  const string = (bytes: Uint8Array) => {
    int16(bytes.length);
    batch.out.set(bytes, at);
    at += bytes.length;
  };

  int32(headBytes - 4 + batch.bytes);
  int16(PRODUCE_API_KEY);
  int16(request.version);
  int32(request.correlationId);
  string(clientId);
  int16(NULL_LENGTH); // transactional_id
  int16(ACKS_ALL);
  int32(request.timeoutMs);
  int32(1); // topics
  string(topic);
  int32(1); // partitions
  int32(request.partition);
  int32(batch.bytes);
  return batch.out.subarray(start, REQUEST_HEAD_BYTES + batch.bytes);
}

/**
 * Reads the response to a request for one partition.
 * @param body the response behind its correlation id
 * @throws {RangeError} if it is shorter than it must be
 */
export function readProduceResponse(body: Uint8Array, version: number): ProduceResult {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const topicAt = 4;
  const partitionsAt = topicAt + 2 + view.getInt16(topicAt);
  const partitionAt = partitionsAt + 4;
  const errorCode = view.getInt16(partitionAt + 4);
  const logStartOffset = version >= VERSION_WITH_LOG_START_OFFSET ? 8 : 0;
  return { errorCode, throttleMs: view.getInt32(partitionAt + 4 + 2 + 8 + 8 + logStartOffset) };
}
