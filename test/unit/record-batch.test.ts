import { expect, test } from 'bun:test';
import Decoder from 'kafkajs/src/protocol/decoder.js';
import decodeBatch from 'kafkajs/src/protocol/recordBatch/v0/decoder.js';
import { crc32c } from '../../src/kafka/crc32c.ts';
import { produceRequest } from '../../src/kafka/produce.ts';
import { RecordBatch } from '../../src/kafka/record-batch.ts';
import { randomNumbers } from '../support/random.ts';

const NOW = 1_792_065_600_000;
const producer = { id: 4_294_967_298n, epoch: 3 };
const request = {
  version: 7,
  correlationId: 1,
  clientId: 'test',
  topic: 'syslog',
  partition: 0,
  timeoutMs: 1000,
};

/** RFC 3720 appendix B.4, and the check value of CRC-32/ISCSI. */
const CHECKSUMS: [Uint8Array, number][] = [
  [new Uint8Array(32), 0x8a9136aa],
  [new Uint8Array(32).fill(0xff), 0x62a8ab43],
  [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  [Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  [new TextEncoder().encode('123456789'), 0xe3069283],
  [new Uint8Array(0), 0],
];

for (const [bytes, checksum] of CHECKSUMS) {
  test(`CRC-32C of ${bytes.length} bytes is ${checksum.toString(16)}`, () => {
    expect(crc32c(bytes, 0, bytes.length)).toBe(checksum);
  });
}

test('CRC-32C is the same wherever the bytes lie', () => {
  const text = new TextEncoder().encode('0123456789abcdef0123456789abcdefxyz');
  for (let length = 0; length <= text.length; length++) {
    const bytes = new Uint8Array(64);
    const expected = crc32c(text.slice(0, length), 0, length);
    for (let start = 0; start < 5; start++) {
      bytes.set(text.subarray(0, length), start);
      expect(crc32c(bytes, start, start + length)).toBe(expected);
    }
  }
});

test('kafkajs decodes what we encode, around every width of a length', async () => {
  const lengths = [
    0, 1, 54, 55, 56, 57, 62, 63, 64, 65, 8180, 8185, 8190, 8191, 8192, 8193, 200_000,
  ];
  const batch = new RecordBatch({ batchBytes: 1_048_576 }, 1_048_576);
  const values = lengths.map((length, i) => new Uint8Array(length).fill(65 + i));
  const delays = [0, 63, 64, 8191, 8192, 1_048_575, 1_048_576];
  values.forEach((value, i) => {
    const now = NOW + delays[i % delays.length];
    const at = batch.begin(value.length, now);
    batch.out.set(value, at);
    batch.commit(at + value.length);
  });
  batch.seal(producer, 77);

  const decoded = await decode(batch);
  expect(decoded.firstSequence).toBe(77);
  expect(decoded.producerId).toBe(producer.id.toString());
  expect(decoded.producerEpoch).toBe(producer.epoch);
  expect(decoded.lastOffsetDelta).toBe(values.length - 1);
  expect(decoded.maxTimestamp).toBe(String(NOW + 1_048_576));
  expect(decoded.records.map(({ value }) => value.length)).toEqual(lengths);
  decoded.records.forEach((record, i) => {
    expect(record.key).toBeNull();
    expect(record.timestamp).toBe(String(NOW + delays[i % delays.length]));
    expect(Buffer.compare(record.value, values[i])).toBe(0);
  });
  expect(batch.records().map(({ value }) => value.length)).toEqual(lengths);
  expect(batch.records().map(({ timestamp }) => timestamp)).toEqual(
    decoded.records.map(({ timestamp }) => Number(timestamp)),
  );
});

test('a clock that jumps while a batch is open spoils no record', async () => {
  const day = 86_400_000;
  const batch = new RecordBatch({ batchBytes: 10_000 }, 10_000);
  for (const days of [0, 20, 25, 30, 20_000, -20_000, 1]) {
    const at = batch.begin(5, NOW + days * day);
    batch.out.set(Buffer.from('value'), at);
    batch.commit(at + 5);
  }
  batch.seal(producer, 0);
  const { records, maxTimestamp } = await decode(batch);
  expect(records.map(({ value }) => value.toString())).toEqual(records.map(() => 'value'));
  const timestamps = records.map(({ timestamp }) => Number(timestamp));
  expect(Math.min(...timestamps)).toBe(NOW);
  expect(Math.max(...timestamps)).toBe(Number(maxTimestamp));
  expect(timestamps[6]).toBe(NOW + day);
});

test('a batch is full at its limit, but takes one value of any size', () => {
  const batch = new RecordBatch({ batchBytes: 1000 }, 100_000);
  const random = randomNumbers(7);
  expect(batch.begin(50_000, NOW)).toBeGreaterThan(0);
  for (let i = 0; i < 1000; i++) {
    const length = random(300);
    const at = batch.begin(length, NOW);
    if (at < 0) break;
    batch.commit(at + length);
  }
  expect(batch.bytes).toBeGreaterThan(600);
  expect(batch.bytes).toBeLessThanOrEqual(1000);
  batch.clear();
  expect(batch.count).toBe(0);
});

test('what is taken out of a batch is gone, and the rest is as it was', async () => {
  const random = randomNumbers(11);
  for (const keep of [() => true, () => false, (n: number) => n % 3 === 0, () => random(2) === 0]) {
    const batch = new RecordBatch({ batchBytes: 200_000 }, 200_000);
    const values = Array.from({ length: 200 }, (_, n) => Buffer.from(`${n} `.repeat(random(90))));
    for (const [n, value] of values.entries()) batch.append(value, NOW + n * 100);
    const kept = values.map((_, n) => keep(n));
    batch.retain((n) => kept[n] ?? false);
    batch.append(Buffer.from('next'), NOW + 60_000);
    batch.seal(producer, 5);
    const { records } = await decode(batch);
    expect(records.map(({ value, timestamp }) => [value.toString(), Number(timestamp)])).toEqual([
      ...values.flatMap((value, n) => (kept[n] ? [[value.toString(), NOW + n * 100]] : [])),
      ['next', NOW + 60_000],
    ]);
  }
});

/** Sends the batch through a request, as it goes over the wire, and has kafkajs read it. */
async function decode(batch: RecordBatch) {
  const bytes = Buffer.from(produceRequest(batch, request));
  expect(bytes.readInt32BE(0)).toBe(bytes.length - 4);
  const decoder = new Decoder(bytes.subarray(bytes.length - batch.bytes));
  return decodeBatch(decoder);
}
