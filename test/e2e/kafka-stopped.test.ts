import { afterAll, beforeAll, expect, onTestFinished, setDefaultTimeout, test } from 'bun:test';
import {
  expectCleanStop,
  expectEachOnce,
  startDaemon,
  waitForRecords,
} from '../support/delivery.ts';
import { type Kafka, startKafka } from '../support/kafka.ts';
import { sendLoad } from '../support/load.ts';
import { createTopic } from '../support/topics.ts';
import { sleep } from '../support/wait.ts';
import { startZooKeeper, type ZooKeeper } from '../support/zookeeper.ts';

const MB = 1024 * 1024;
/** Messages a second; in a minute it is several times what the kernel's buffers and ours take. */
const RATE = 20_000;

setDefaultTimeout(120_000);

let zookeeper: ZooKeeper;
let kafka: Kafka;

beforeAll(async () => {
  zookeeper = await startZooKeeper();
  kafka = await startKafka({ zookeeper: zookeeper.address });
  // All now: after a pause Kafka must register again before it creates any.
  for (const topic of ['minute', 'in-time', 'too-late', 'twice']) {
    await createTopic(kafka.address, { topic, partitions: 2 });
  }
});

afterAll(async () => {
  await kafka.kill();
  await zookeeper.stop();
});

const forwardTo = (topic: string, ...args: string[]) =>
  startDaemon(['--zookeeper', zookeeper.address, '--topic', topic, ...args]);

/** SIGSTOP; Kafka goes on at the latest when the test ends. */
function pauseKafka() {
  onTestFinished(() => kafka.resume());
  kafka.pause();
}

test('Kafka stands still for a minute: the senders are held, in flat memory', async () => {
  const topic = 'minute';
  const syslogger = await forwardTo(topic);
  const enough = new AbortController();
  onTestFinished(() => enough.abort());
  const load = sendLoad({
    port: syslogger.port,
    count: Number.POSITIVE_INFINITY,
    rate: RATE,
    connections: 4,
    signal: enough.signal,
  });
  await waitForRecords(kafka.address, topic, 1_000);
  pauseKafka();
  await sleep(10_000);
  const early = syslogger.rss();
  await sleep(45_000);
  const late = syslogger.rss();
  await sleep(5_000);
  enough.abort();
  kafka.resume();
  const { sent } = await load;

  console.log(`memory after 10 s ${Math.round(early / MB)} MB, 55 s ${Math.round(late / MB)} MB`);
  expect(late - early).toBeLessThan(30 * MB);
  expect(late).toBeLessThan(250 * MB);
  expect(sent).toBeLessThan((RATE * 60) / 2);
  await expectCleanStop(syslogger, sent);
  await expectEachOnce(kafka.address, topic, sent);
});

test('SIGTERM while Kafka stands still waits for it', async () => {
  const topic = 'in-time';
  const syslogger = await forwardTo(topic);
  pauseKafka();
  await sendLoad({ port: syslogger.port, count: 5_000 });
  const stopped = expectCleanStop(syslogger, 5_000);
  await sleep(3_000);
  expect(syslogger.child.exit()).toBeUndefined();
  kafka.resume();
  await stopped;
  await expectEachOnce(kafka.address, topic, 5_000);
});

test('--drain-timeout ends the wait and says what is left', async () => {
  const topic = 'too-late';
  const syslogger = await forwardTo(topic, '--drain-timeout', '2');
  pauseKafka();
  await sendLoad({ port: syslogger.port, count: 5_000 });
  const { code, ledger } = await syslogger.stop();
  expect(code).toBe(1);
  expect(syslogger.stderr()).toMatch(
    /--drain-timeout of 2 s is over: left unacknowledged messages 5000, open connections 0/,
  );
  expect(ledger).toContain('received 5000 = acknowledged 0 + in flight 5000;');
});

test('a second SIGTERM ends the wait at once', async () => {
  const topic = 'twice';
  const syslogger = await forwardTo(topic);
  pauseKafka();
  await sendLoad({ port: syslogger.port, count: 5_000 });
  syslogger.child.signal('SIGTERM');
  await syslogger.waitForLog(/SIGTERM: stopping/);
  await sleep(500);
  expect(syslogger.child.exit()).toBeUndefined();
  const { code, ledger } = await syslogger.stop();
  expect(code).toBe(1);
  expect(syslogger.stderr()).toContain('SIGTERM again: stopping at once');
  expect(ledger).toContain('received 5000 = acknowledged 0 + in flight 5000;');
});
