import { afterAll, beforeAll, setDefaultTimeout, test } from 'bun:test';
import {
  expectCleanStop,
  expectEachOnce,
  startDaemon,
  waitForRecords,
} from '../support/delivery.ts';
import { type Kafka, startKRaft } from '../support/kafka.ts';
import { sendLoad } from '../support/load.ts';
import { createTopic } from '../support/topics.ts';

setDefaultTimeout(90_000);

/** Of the kind that has no ZooKeeper; creates topics by itself. */
let kafka: Kafka;

beforeAll(async () => {
  kafka = await startKRaft({ overrides: { 'auto.create.topics.enable': true } });
});

afterAll(() => kafka.kill());

test('a topic that is missing is created by the broker', async () => {
  const topic = 'created';
  const syslogger = await startDaemon(['--brokers', kafka.address, '--topic', topic]);
  await sendLoad({ port: syslogger.port, count: 50_000, connections: 3 });
  await expectCleanStop(syslogger, 50_000);
  await expectEachOnce(kafka.address, topic, 50_000);
});

test('the only broker is killed with -9 under load', async () => {
  const topic = 'killed';
  const count = 60_000;
  await createTopic(kafka.address, { topic, partitions: 2 });
  const syslogger = await startDaemon(['--brokers', kafka.address, '--topic', topic]);
  const load = sendLoad({ port: syslogger.port, count, rate: 10_000, connections: 3 });
  await waitForRecords(kafka.address, topic, 10_000);
  await kafka.kill();
  await kafka.start();
  await load;
  await expectCleanStop(syslogger, count);
  await expectEachOnce(kafka.address, topic, count);
});
