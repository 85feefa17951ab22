import { expect, onTestFinished } from 'bun:test';
import { readTopic } from './consume.ts';
import { checkNumbered } from './lines.ts';
import { type Syslogger, type SysloggerOptions, startSyslogger } from './syslogger.ts';
import { type Brokers, withAdmin } from './topics.ts';
import { waitFor } from './wait.ts';

/** Starts the daemon for the test that runs: it is killed at the test's end, however that comes. */
export async function startDaemon(
  args: string[],
  options: Omit<SysloggerOptions, 'args'> = {},
): Promise<Syslogger> {
  const syslogger = await startSyslogger({ ...options, args, dontWait: true });
  onTestFinished(() => syslogger.kill());
  if (!options.dontWait) await syslogger.waitUntilListening();
  return syslogger;
}

/** Waits until an existing topic holds at least so many records, also while some brokers are away. */
export async function waitForRecords(
  brokers: Brokers,
  topic: string,
  count: number,
): Promise<void> {
  await waitFor(
    `no ${count} records in ${topic}`,
    async () => {
      // kafkajs fails while a leader is being elected.
      const offsets = await withAdmin(brokers, (admin) => admin.fetchTopicOffsets(topic)).catch(
        () => [],
      );
      return offsets.reduce((sum, { high }) => sum + Number(high), 0) >= count;
    },
    { timeoutMs: 60_000, everyMs: 100 },
  );
}

/** Stops the daemon, which must account for this many messages and leave none undelivered. */
export async function expectCleanStop(syslogger: Syslogger, messages: number): Promise<void> {
  const { code, ledger } = await syslogger.stop();
  expect(ledger).toContain(`received ${messages} = acknowledged ${messages} + in flight 0;`);
  expect(code).toBe(0);
}

/** The topic must hold each of the numbered messages 0 … count-1 once, and nothing else. */
export async function expectEachOnce(
  brokers: Brokers,
  topic: string,
  count: number,
): Promise<void> {
  const records = await readTopic(brokers, topic, { count });
  const values = records.map(({ value }) => value);
  expect(checkNumbered(values, count)).toEqual({ missing: [], repeated: [] });
}
