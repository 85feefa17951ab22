/** A record without key and headers. */
export interface ReferenceRecord {
  value: Uint8Array;
  /** ms since 1970 */
  timestamp: number;
}

/** What a producer says of itself and of a batch. */
export interface Producer {
  id: bigint;
  epoch: number;
  /** The sequence number of the batch's first record. */
  sequence: number;
}

/** A record batch of format version 2 (Kafka protocol guide, "Record Batch"). */
export function referenceBatch(records: ReferenceRecord[], producer: Producer): Buffer {
  const timestamps = records.map(({ timestamp }) => timestamp);
  const [baseTimestamp] = timestamps;
  const checked = Buffer.concat([
    int(16, 0), // attributes: not compressed, time of creation, not transactional
    int(32, records.length - 1), // last offset delta
    int(64, baseTimestamp),
    int(64, Math.max(...timestamps)),
    int(64, producer.id),
    int(16, producer.epoch),
    int(32, producer.sequence),
    int(32, records.length),
    ...records.map((record, i) => encodeRecord(record, i, baseTimestamp)),
  ]);
  const counted = Buffer.concat([
    int(32, -1), // partition leader epoch
    int(8, 2), // magic
    int(32, crc32c(checked)),
    checked,
  ]);
  const baseOffset = int(64, 0);
  return Buffer.concat([baseOffset, int(32, counted.length), counted]);
}

function encodeRecord(
  { value, timestamp }: ReferenceRecord,
  index: number,
  baseTimestamp: number,
): Buffer {
  const body = Buffer.concat([
    int(8, 0), // attributes
    varint(timestamp - baseTimestamp),
    varint(index), // offset delta
    varint(-1), // no key
    varint(value.length),
    value,
    varint(0), // no headers
  ]);
  return Buffer.concat([varint(body.length), body]);
}

/** A whole number of so many bits, big-endian. */
function int(bits: number, value: number | bigint): Buffer {
  const hex = BigInt.asUintN(bits, BigInt(value)).toString(16);
  return Buffer.from(hex.padStart(bits / 4, '0'), 'hex');
}

/** A zigzag varint: seven bits a byte, the lowest first, and 128 more where another follows. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push(128 + (rest % 128));
  return Buffer.from([...bytes, rest]);
}

/** CRC-32C (RFC 3720), bit by bit. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
