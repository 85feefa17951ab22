import { afterAll, expect, setDefaultTimeout, test } from 'bun:test';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expectCleanStop, expectEachOnce, startDaemon } from '../support/delivery.ts';
import { type Kafka, startKafka } from '../support/kafka.ts';
import { sendLoad } from '../support/load.ts';
import { freePort, isListening } from '../support/ports.ts';
import type { Syslogger } from '../support/syslogger.ts';
import { createTopic } from '../support/topics.ts';
import { sleep } from '../support/wait.ts';
import { startZooKeeper, type ZooKeeper } from '../support/zookeeper.ts';

setDefaultTimeout(90_000);

let zookeeper: ZooKeeper | undefined;
let kafka: Kafka | undefined;

afterAll(async () => {
  await kafka?.kill();
  await zookeeper?.stop();
});

/** Starts a daemon that can't listen yet; `listen` is the port where it shall. */
async function startEarly(args: string[]): Promise<{ syslogger: Syslogger; listen: number }> {
  const listen = await freePort();
  const syslogger = await startDaemon([...args, '--listen', `tcp://127.0.0.1:${listen}`], {
    dontWait: true,
  });
  return { syslogger, listen };
}

function linesWith(syslogger: Syslogger, text: string): number {
  return syslogger.stderr().split(text).length - 1;
}

test('ZooKeeper and Kafka absent: it waits, says so, and starts when they come', async () => {
  const topic = 'absent';
  const [zookeeperPort, kafkaPort] = [await freePort(), await freePort()];
  const ensemble = `127.0.0.1:${zookeeperPort}`;
  const waiting = [
    await startEarly(['--zookeeper', ensemble, '--topic', topic]),
    await startEarly(['--brokers', `127.0.0.1:${kafkaPort}`, '--topic', topic]),
  ];
  const [throughZooKeeper, direct] = waiting.map(({ syslogger }) => syslogger);
  const expectNobodyListens = async () => {
    for (const { syslogger, listen } of waiting) {
      expect(await isListening(listen)).toBe(false);
      expect(syslogger.child.exit()).toBeUndefined();
    }
  };

  await throughZooKeeper.waitForLog(/waiting for Kafka \(ZooKeeper 127\S+\): ZooKeeper 127\S+: /);
  await direct.waitForLog(/waiting for Kafka \(brokers 127\S+\): 127\S+: .*ECONNREFUSED/);
  await sleep(10_000);
  await expectNobodyListens();
  expect(linesWith(throughZooKeeper, 'waiting for Kafka')).toBe(1);
  expect(linesWith(direct, 'waiting for Kafka')).toBe(1);

  zookeeper = await startZooKeeper({ port: zookeeperPort });
  await throughZooKeeper.waitForLog(/has no \/brokers\/ids: no Kafka has registered there yet/);
  await expectNobodyListens();
  expect(linesWith(throughZooKeeper, 'waiting for Kafka')).toBeLessThanOrEqual(3);

  kafka = await startKafka({ zookeeper: ensemble, port: kafkaPort });
  for (const { syslogger } of waiting) {
    await syslogger.waitForLog(/topic absent does not exist: create it .*or choose another/);
  }
  await expectNobodyListens();

  await createTopic(kafka.address, { topic });
  for (const [i, { syslogger, listen }] of waiting.entries()) {
    await syslogger.waitUntilListening();
    expect(syslogger.stderr()).toMatch(/Kafka: all well again after \d+ s/);
    await sendLoad({ port: listen, count: 500, from: i * 500 });
    await expectCleanStop(syslogger, 500);
  }
  await expectEachOnce(kafka.address, topic, 1_000);
});

test('SIGTERM while it waits for Kafka ends it', async () => {
  const args = ['--brokers', `127.0.0.1:${await freePort()}`];
  const { syslogger } = await startEarly(args);
  await syslogger.waitForLog(/waiting for Kafka/);
  await expectCleanStop(syslogger, 0);
});

const GARBAGE: [name: string, answer: string][] = [
  ['an empty frame', '00000000'],
  ['a frame of one byte', '0000000178'],
  ['a frame that is too short', '0000000400000000'],
  ['a negative length', 'ffffffffffffffff'],
  ['a frame of nonsense', `00000025${'a7'.repeat(37)}`],
];

test('what answers is neither ZooKeeper nor Kafka: it says so and waits', async () => {
  for (const [name, answer] of GARBAGE) {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(Buffer.from(answer, 'hex')));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const option of ['--zookeeper', '--brokers']) {
      const { syslogger } = await startEarly([option, address]);
      await syslogger.waitForLog(new RegExp(`waiting for Kafka .*${address}: `));
      await sleep(300);
      expect([name, syslogger.child.exit()]).toEqual([name, undefined]);
      expect((await syslogger.stop()).code).toBe(0);
    }
    server.close();
  }
});
