import { run } from './command.ts';
import { ensureDebian } from './install.ts';
import { type Brokers, withAdmin } from './topics.ts';
import { waitFor } from './wait.ts';

export interface ConsumedRecord {
  partition: number;
  offset: number;
  timestamp: number;
  /** null where the record has none. */
  key: Buffer | null;
  value: Buffer;
}

export interface ReadOptions {
  /** Waits until the topic holds at least this many records. */
  count?: number;
  /** Gives up after this long, each for waiting and for reading (default 60,000). */
  timeoutMs?: number;
}

/** The offset after the last record of each partition; empty while the topic doesn't exist. */
export async function endOffsets(brokers: Brokers, topic: string): Promise<number[]> {
  return withAdmin(brokers, async (admin) => {
    if (!(await admin.listTopics()).includes(topic)) return [];
    const offsets = await admin.fetchTopicOffsets(topic);
    return offsets
      .toSorted((a, b) => a.partition - b.partition)
      .map(({ high }) => Number.parseInt(high, 10));
  });
}

/** How many records a topic holds that nothing was deleted from. */
export async function countRecords(brokers: Brokers, topic: string): Promise<number> {
  return (await endOffsets(brokers, topic)).reduce((sum, end) => sum + end, 0);
}

/**
 * All records of a topic from its beginning to its present end, by partition and offset. They are
 * read by kcat, which shares no code with us and checks every batch's checksum.
 */
export async function readTopic(
  brokers: Brokers,
  topic: string,
  { count = 0, timeoutMs = 60_000 }: ReadOptions = {},
): Promise<ConsumedRecord[]> {
  await ensureDebian(['kcat']);
  let held = 0;
  await waitFor(
    `no ${count} records in ${topic}`,
    async () => {
      held = await countRecords(brokers, topic);
      return held >= count;
    },
    { timeoutMs, everyMs: 100 },
  ).catch((error: Error) => {
    throw new Error(`${error.message}, but ${held}`);
  });
  if (held === 0) return [];

  const kcat = ['kcat', '-C', '-b', [brokers].flat().join(','), '-t', topic, '-o', 'beginning'];
  const settings = ['check.crcs=true', 'fetch.wait.max.ms=10', 'fetch.error.backoff.ms=50'];
  const output = await run([
    'timeout',
    String(timeoutMs / 1000),
    ...kcat,
    ...['-e', '-q', '-f', format],
    ...settings.flatMap((setting) => ['-X', setting]),
  ]);
  return parse(output).sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

// Lengths first: keys and values may hold any byte.
const format = '%p %o %T %K %S %k%s';

function parse(output: Buffer): ConsumedRecord[] {
  const records: ConsumedRecord[] = [];
  let at = 0;
  const number = () => {
    const end = output.indexOf(0x20, at);
    const value = Number(output.toString('latin1', at, end));
    at = end + 1;
    return value;
  };
  const bytes = (length: number) => {
    at += length;
    return output.subarray(at - length, at);
  };
  while (at < output.length) {
    const [partition, offset, timestamp, keyLength, length] = [
      number(),
      number(),
      number(),
      number(),
      number(),
    ];
    records.push({
      partition,
      offset,
      timestamp,
      key: keyLength < 0 ? null : bytes(keyLength),
      value: bytes(Math.max(0, length)),
    });
  }
  return records;
}
