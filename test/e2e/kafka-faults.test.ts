import { afterAll, beforeAll, expect, onTestFinished, setDefaultTimeout, test } from 'bun:test';
import {
  expectCleanStop,
  expectEachOnce,
  startDaemon,
  waitForRecords,
} from '../support/delivery.ts';
import { type Kafka, startKafka } from '../support/kafka.ts';
import { sendLoad } from '../support/load.ts';
import { freePort } from '../support/ports.ts';
import { startProxy } from '../support/proxy.ts';
import { createTopic, leaders, movePartition } from '../support/topics.ts';
import { sleep, waitFor } from '../support/wait.ts';
import { startZooKeeper, type ZooKeeper } from '../support/zookeeper.ts';

setDefaultTimeout(120_000);

let zookeeper: ZooKeeper;
let proxy: Awaited<ReturnType<typeof startProxy>>;
/** Clients reach it through the proxy. */
let first: Kafka;
let second: Kafka;

beforeAll(async () => {
  zookeeper = await startZooKeeper();
  const port = await freePort();
  proxy = await startProxy(port);
  [first, second] = await Promise.all([
    startKafka({
      zookeeper: zookeeper.address,
      brokerId: 1,
      port,
      advertisedPort: proxy.port,
    }),
    startKafka({ zookeeper: zookeeper.address, brokerId: 2 }),
  ]);
});

afterAll(async () => {
  await Promise.all([first.kill(), second.kill()]);
  await zookeeper.stop();
  await proxy.close();
});

/** Starts a daemon that forwards to a topic with these replicas of its partitions. */
async function forwardTo(topic: string, assignment: number[][]) {
  const brokers = [first.address, second.address];
  await createTopic(brokers, {
    topic,
    assignment,
    config: { 'min.insync.replicas': 1 },
  });
  return startDaemon(['--zookeeper', zookeeper.address, '--topic', topic]);
}

test('a Produce answer that is lost on the way makes no message come twice', async () => {
  const topic = 'lost-answers';
  const count = 60_000;
  const syslogger = await forwardTo(topic, [[1], [1]]);
  const load = sendLoad({ port: syslogger.port, count, rate: 10_000, connections: 3 });
  for (let time = 0; time < 8; time++) {
    await proxy.loseNextAnswer();
    if (time % 2 === 1) await proxy.loseNextRequest();
    await sleep(200);
  }
  await load;
  await expectCleanStop(syslogger, count);
  await expectEachOnce(second.address, topic, count);
  expect(syslogger.stderr()).not.toContain('lost track of this producer');
});

test('a network that stalls and goes on', async () => {
  const topic = 'stalls';
  const count = 40_000;
  const syslogger = await forwardTo(topic, [[1], [1]]);
  onTestFinished(() => proxy.resume());
  const load = sendLoad({ port: syslogger.port, count, rate: 8_000, connections: 3 });
  await waitForRecords(second.address, topic, 1_000);
  for (const ms of [500, 3_000]) {
    proxy.stall();
    await sleep(ms);
    proxy.resume();
    await sleep(300);
  }
  await load;
  await expectCleanStop(syslogger, count);
  await expectEachOnce(second.address, topic, count);
});

test('partitions that move to the other broker and back under load', async () => {
  const topic = 'moves';
  const count = 100_000;
  const brokers = [first.address, second.address];
  const syslogger = await forwardTo(topic, [
    [1, 2],
    [2, 1],
    [1, 2],
  ]);
  const load = sendLoad({ port: syslogger.port, count, rate: 10_000, connections: 3 });
  await waitForRecords(second.address, topic, 1_000);
  for (const [partition, replicas] of [
    // An election only; then the data moves as well.
    [0, [2, 1]],
    [1, [1]],
    [2, [2]],
    [0, [1, 2]],
    [2, [1]],
  ] as const) {
    await movePartition(brokers, topic, partition, [...replicas]);
    await sleep(300);
  }
  await load;
  await expectCleanStop(syslogger, count);
  await expectEachOnce(brokers, topic, count);
  expect(syslogger.stderr()).toMatch(/partition \d: NOT_LEADER_FOR_PARTITION/);
  expect(await leaders(brokers, topic)).toEqual([1, 1, 1]);
});

test('the only broker of a topic is killed with -9 and comes back', async () => {
  const topic = 'killed';
  const count = 80_000;
  const syslogger = await forwardTo(topic, [[1], [1]]);
  const load = sendLoad({ port: syslogger.port, count, rate: 10_000, connections: 3 });
  await waitForRecords(second.address, topic, 10_000);
  await first.kill();
  await sleep(500);
  await first.start();
  await load;
  await expectCleanStop(syslogger, count);
  await expectEachOnce(second.address, topic, count);
});

test('one of two brokers is killed with -9: the other takes over', async () => {
  const topic = 'taken-over';
  const count = 120_000;
  const syslogger = await forwardTo(topic, [
    [1, 2],
    [2, 1],
  ]);
  const load = sendLoad({ port: syslogger.port, count, rate: 10_000, connections: 3 });
  await waitForRecords(second.address, topic, 10_000);
  await first.kill();
  await waitFor('no new leader', async () => {
    return (await leaders(second.address, topic)).every((leader) => leader === 2);
  });
  await waitForRecords(second.address, topic, 50_000);
  await first.start();
  await load;
  await expectCleanStop(syslogger, count);
  await expectEachOnce(second.address, topic, count);
});
