import type { Batch } from '../forward/sink.ts';
import { crc32c } from './crc32c.ts';
import { MAX_VARINT, readVarint, varintLength, writeVarint } from './varint.ts';

/** Room before the batch for the head of the request that carries it. */
export const REQUEST_HEAD_BYTES = 512;
/** The record batch's own head, up to its first record. */
const BATCH_HEAD_BYTES = 61;
/** The most that a record has around its value: three lengths, deltas, key, headers. */
export const RECORD_OVERHEAD_BYTES = 5 + 1 + 5 + 5 + 1 + 5 + 1;

/** The size of a batch that holds one value of so many bytes, at most. */
export function batchBytesOf(valueBytes: number): number {
  return BATCH_HEAD_BYTES + RECORD_OVERHEAD_BYTES + valueBytes;
}

// Offsets in the batch (Kafka's RecordBatch, magic 2).
const BATCH_LENGTH = 8;
const PARTITION_LEADER_EPOCH = 12;
const MAGIC = 16;
const CRC = 17;
const ATTRIBUTES = 21;
const LAST_OFFSET_DELTA = 23;
const BASE_TIMESTAMP = 27;
const MAX_TIMESTAMP = 35;
const PRODUCER_ID = 43;
const PRODUCER_EPOCH = 51;
const BASE_SEQUENCE = 53;
const RECORDS_COUNT = 57;

/** A varint of -1: no key. */
const NO_KEY = 1;

/** Who produces: the broker finds repeated batches by it (KIP-98). */
export interface ProducerIdentity {
  id: bigint;
  epoch: number;
}

/** How large batches are made; shared by all of a sink and lowered by its lanes. */
export interface BatchLimits {
  /** The size in bytes, head included, beyond which no value is added. */
  batchBytes: number;
}

/**
 * A record batch of format version 2 (Kafka protocol guide, "Record Batch"), written
 * in place behind room for its request's head, so that values are copied once.
 */
export class RecordBatch implements Batch {
  readonly out: Uint8Array;
  count = 0;
  private readonly view: DataView;
  private readonly limits: BatchLimits;
  private end = REQUEST_HEAD_BYTES + BATCH_HEAD_BYTES;
  private baseTimestamp = 0;
  private maxTimestamp = 0;
  private recordAt = 0;
  private valueAt = 0;
  private timestampDelta = 0;

  /** @param capacity the largest batch that can be held, in bytes, head included */
  constructor(limits: BatchLimits, capacity: number) {
    this.limits = limits;
    this.out = new Uint8Array(REQUEST_HEAD_BYTES + capacity);
    this.view = new DataView(this.out.buffer);
  }

  get bytes(): number {
    return this.end - REQUEST_HEAD_BYTES;
  }

  begin(bound: number, now: number): number {
    const isFull = this.bytes + bound + RECORD_OVERHEAD_BYTES > this.limits.batchBytes;
    return isFull && this.count > 0 ? -1 : this.beginRecord(now);
  }

  private beginRecord(now: number): number {
    if (this.count === 0) this.baseTimestamp = this.maxTimestamp = now;
    // A clock that jumps while a batch is open must not make a record that no one can read.
    this.timestampDelta = Math.min(Math.max(0, now - this.baseTimestamp), MAX_VARINT);
    this.maxTimestamp = Math.max(this.maxTimestamp, this.baseTimestamp + this.timestampDelta);
    this.recordAt = this.end;
    // The lengths before the value are not known yet: most fit in two bytes each.
    this.valueAt =
      this.end + 2 + 1 + varintLength(this.timestampDelta) + varintLength(this.count) + 1 + 2;
    return this.valueAt;
  }

  commit(end: number): void {
    const { out, recordAt, timestampDelta, count } = this;
    const valueLength = end - this.valueAt;
    const bodyLength =
      1 +
      varintLength(timestampDelta) +
      varintLength(count) +
      1 +
      varintLength(valueLength) +
      valueLength +
      1;
    const valueAt = recordAt + varintLength(bodyLength) + bodyLength - 1 - valueLength;
    if (valueAt !== this.valueAt) out.copyWithin(valueAt, this.valueAt, end);

    let at = writeVarint(out, recordAt, bodyLength);
    out[at++] = 0;
    at = writeVarint(out, at, timestampDelta);
    at = writeVarint(out, at, count);
    out[at++] = NO_KEY;
    at = writeVarint(out, at, valueLength);
    at += valueLength;
    out[at++] = 0;
    this.end = at;
    this.count = count + 1;
  }

  /** Adds a value as it is, from a batch that was at least as large. */
  append(value: Uint8Array, now: number): void {
    const at = this.beginRecord(now);
    this.out.set(value, at);
    this.commit(at + value.length);
  }

  /** What it holds, in order; the values are views into the batch. */
  records(): { value: Uint8Array; timestamp: number }[] {
    const { out } = this;
    const records: { value: Uint8Array; timestamp: number }[] = [];
    let at = REQUEST_HEAD_BYTES + BATCH_HEAD_BYTES;
    while (at < this.end) {
      at = readVarint(out, at).end + 1;
      const { value: timestampDelta, end: offsetDeltaAt } = readVarint(out, at);
      at = readVarint(out, offsetDeltaAt).end + 1;
      const { value: length, end: valueAt } = readVarint(out, at);
      const value = out.subarray(valueAt, valueAt + length);
      records.push({ value, timestamp: this.baseTimestamp + timestampDelta });
      at = valueAt + length + 1;
    }
    return records;
  }

  retain(isKept: (index: number) => boolean): void {
    const kept = this.records()
      .filter((_, index) => isKept(index))
      .map(({ value, timestamp }) => ({ value: value.slice(), timestamp }));
    this.clear();
    for (const { value, timestamp } of kept) this.append(value, timestamp);
  }

  /**
   * Writes the batch's head. Sealed alike, it has the same bytes: a retry is the
   * same batch to the broker.
   * @param sequence the first record's number in what this producer sends to the partition
   */
  seal(producer: ProducerIdentity, sequence: number): void {
    const { view } = this;
    const start = REQUEST_HEAD_BYTES;
    view.setBigInt64(start, 0n);
    view.setInt32(start + BATCH_LENGTH, this.bytes - PARTITION_LEADER_EPOCH);
    view.setInt32(start + PARTITION_LEADER_EPOCH, -1);
    view.setInt8(start + MAGIC, 2);
    view.setInt16(start + ATTRIBUTES, 0);
    view.setInt32(start + LAST_OFFSET_DELTA, this.count - 1);
    view.setBigInt64(start + BASE_TIMESTAMP, BigInt(this.baseTimestamp));
    view.setBigInt64(start + MAX_TIMESTAMP, BigInt(this.maxTimestamp));
    view.setBigInt64(start + PRODUCER_ID, producer.id);
    view.setInt16(start + PRODUCER_EPOCH, producer.epoch);
    view.setInt32(start + BASE_SEQUENCE, sequence);
    view.setInt32(start + RECORDS_COUNT, this.count);
    view.setUint32(start + CRC, crc32c(this.out, start + ATTRIBUTES, this.end));
  }

  clear(): void {
    this.count = 0;
    this.end = REQUEST_HEAD_BYTES + BATCH_HEAD_BYTES;
  }
}
