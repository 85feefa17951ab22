import { afterAll, beforeAll, expect, test } from 'bun:test';
import { REQUEST_HEAD_BYTES, RecordBatch } from '../../src/kafka/record-batch.ts';
import { referenceBatch } from '../reference/record-batch.ts';
import { referenceDocuments, referenceFrames } from '../reference/reference.ts';
import { goldenCases } from '../support/golden.ts';
import { cut } from '../support/mutate.ts';
import { documents, values } from '../support/pipeline.ts';
import { randomNumbers } from '../support/random.ts';
import { fuzzedStream } from '../support/streams.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20261015);
const FRAMES = Number(process.env.FUZZ_FRAMES ?? 240_000);
const FRAMES_PER_STREAM = 40;
/** The golden cases' clock; with it those on which the year of a timestamp may turn. */
const NOW = Date.UTC(2026, 9, 15, 12);
const CLOCKS = [NOW, Date.UTC(2026, 11, 31, 23, 59, 59), Date.UTC(2028, 1, 29, 12)];
/** Those between them cut headers, structured data and texts, and the last cuts little. */
const LIMITS = [64, 200, 5_000, 131_072];
const SHOWN_CHARACTERS = 20_000;

interface Options {
  maxMessageBytes: number;
  now: number;
}

beforeAll(() => (process.env.TZ = 'UTC'));
afterAll(() => (process.env.TZ = 'UTC'));

for (const { name, input, expected, options } of goldenCases()) {
  test(`reference: ${name}`, () => {
    const { maxMessageBytes = 131_072 } = options;
    expect(referenceDocuments(input, maxMessageBytes, NOW)).toEqual(expected);
    compare(input, [input], { maxMessageBytes, now: NOW });
  });
}

for (const timeZone of ['UTC', 'America/New_York']) {
  const frames = FRAMES / 2;
  test(`${frames} mutated frames become what the reference says, in ${timeZone}`, () => {
    process.env.TZ = timeZone;
    for (let n = 0; n < frames / FRAMES_PER_STREAM; n++) {
      const random = randomNumbers(SEED + n);
      const maxMessageBytes = LIMITS[random(LIMITS.length)];
      const now = CLOCKS[random(CLOCKS.length)];
      const stream = fuzzedStream(FRAMES_PER_STREAM, maxMessageBytes, random);
      try {
        compare(stream, cut(stream, random), { maxMessageBytes, now });
      } catch (error) {
        throw new Error(
          `stream ${n} of FUZZ_SEED=${SEED} in ${timeZone} at ${new Date(now).toISOString()}, ` +
            `maxMessageBytes ${maxMessageBytes}\n` +
            `${(error as Error).message}\nstream: ${printable(latin1(stream))}`,
        );
      }
    }
  }, 120_000);
}

test('a record batch has the bytes that the reference says', () => {
  const random = randomNumbers(SEED);
  const batch = new RecordBatch({ batchBytes: 300_000 }, 1_048_576);
  for (let n = 0; n < 60; n++) {
    const timestamps: number[] = [];
    const held: Uint8Array[] = [];
    let timestamp = NOW + random(1_000_000_000);
    for (const value of batchValues(random)) {
      timestamp += random([1, 3, 200, 20_000][random(4)]);
      const at = batch.begin(value.length + random(2_000), timestamp);
      if (at < 0) break;
      batch.out.set(value, at);
      batch.commit(at + value.length);
      held.push(value);
      timestamps.push(timestamp);
    }
    const producer = { id: BigInt(random(2 ** 32)) * 1_000_003n, epoch: random(32_768) };
    const sequence = random(2 ** 31);
    batch.seal(producer, sequence);
    const records = held.map((value, i) => ({ value, timestamp: timestamps[i] }));
    const expected = referenceBatch(records, { ...producer, sequence });
    const got = batch.out.subarray(REQUEST_HEAD_BYTES, REQUEST_HEAD_BYTES + batch.bytes);
    if (!expected.equals(got)) {
      const at = expected.findIndex((byte, i) => byte !== got[i]);
      throw new Error(
        `batch ${n} of FUZZ_SEED=${SEED} with values of ${held.map(({ length }) => length)} bytes ` +
          `differs at byte ${at}\nexpected: ${hex(expected, at)}\n     got: ${hex(got, at)}`,
      );
    }
    batch.clear();
  }
}, 60_000);

/** Documents, and pieces of a stream at whose lengths a varint grows by a byte. */
function batchValues(random: (limit: number) => number): Uint8Array[] {
  const stream = fuzzedStream(FRAMES_PER_STREAM, 131_072, random);
  const long = Buffer.concat(Array(100).fill(stream));
  const lengths = [0, 1, 54 + random(14), 8_170 + random(30), random(20_000), random(200_000)];
  const made = [
    ...values([stream], { maxMessageBytes: 131_072, now: NOW }),
    ...lengths.map((length) => long.subarray(0, length)),
  ];
  return made
    .map((value) => ({ value, place: random(1_000_000) }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}

/** Compares what the hot path makes of the chunks with the reference, in both formats. */
function compare(stream: Uint8Array, chunks: Uint8Array[], options: Options): void {
  const { maxMessageBytes, now } = options;
  const raw = values(chunks, { ...options, format: 'raw' }).map(latin1);
  same('frame', raw, referenceFrames(stream, maxMessageBytes).map(latin1));
  same('document', documents(chunks, options), referenceDocuments(stream, maxMessageBytes, now));
}

function same(what: string, got: string[], expected: string[]): void {
  const length = Math.max(got.length, expected.length);
  for (let i = 0; i < length; i++) {
    if (got[i] === expected[i]) continue;
    throw new Error(
      `${what} ${i} of ${expected.length} differs\n` +
        `expected: ${printable(expected[i] ?? '')}\n     got: ${printable(got[i] ?? '')}`,
    );
  }
}

function hex(bytes: Uint8Array, at: number): string {
  return Buffer.from(bytes.subarray(at, at + 40)).toString('hex');
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** A string literal in ASCII. */
function printable(text: string): string {
  const literal = JSON.stringify(text).replace(
    /[\x7f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const left = literal.length - SHOWN_CHARACTERS;
  return left > 0 ? `${literal.slice(0, SHOWN_CHARACTERS)} and ${left} more` : literal;
}
