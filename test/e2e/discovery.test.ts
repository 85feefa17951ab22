import { afterAll, beforeAll, expect, onTestFinished, setDefaultTimeout, test } from 'bun:test';
import { createServer } from 'node:net';
import {
  expectCleanStop,
  expectEachOnce,
  startDaemon,
  waitForRecords,
} from '../support/delivery.ts';
import { type Kafka, startKafka } from '../support/kafka.ts';
import { sendLoad } from '../support/load.ts';
import { freePort } from '../support/ports.ts';
import type { Syslogger } from '../support/syslogger.ts';
import { createTopic } from '../support/topics.ts';
import { waitFor } from '../support/wait.ts';
import { createNode, startZooKeeper, type ZooKeeper } from '../support/zookeeper.ts';

const CHROOT = '/clusters/logs';

setDefaultTimeout(90_000);

let zookeeper: ZooKeeper;
let kafka: Kafka;

beforeAll(async () => {
  zookeeper = await startZooKeeper();
  kafka = await startKafka({ zookeeper: zookeeper.address, chroot: CHROOT });
});

afterAll(async () => {
  await kafka.kill();
  await zookeeper.stop();
});

/** Starts a daemon that forwards to a new topic. */
async function forwardTo(topic: string, ensemble = zookeeper.address + CHROOT) {
  await createTopic(kafka.address, { topic, partitions: 2 });
  return startDaemon(['--zookeeper', ensemble, '--topic', topic]);
}

function lookups(syslogger: Syslogger): number {
  return syslogger.stderr().split('info SIGUSR1: looked up').length - 1;
}

/** Sends SIGUSR1 and waits until the brokers are looked up. */
async function lookUpAgain(syslogger: Syslogger): Promise<void> {
  const before = lookups(syslogger);
  syslogger.child.signal('SIGUSR1');
  await waitFor('SIGUSR1 is not answered', () => lookups(syslogger) > before);
}

/** A port where connections are accepted and nothing is ever answered. */
async function silentPort(): Promise<number> {
  const port = await freePort();
  const server = createServer(() => {});
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return port;
}

test('an ensemble with servers that are dead, silent or stopped', async () => {
  const topic = 'ensemble';
  const stopped = await startZooKeeper();
  onTestFinished(() => stopped.kill());
  stopped.pause();
  const others = [await freePort(), await silentPort(), stopped.port];
  const servers = [...others.map((port) => `127.0.0.1:${port}`), zookeeper.address];
  const syslogger = await forwardTo(topic, servers.join(',') + CHROOT);
  // The order in which they are asked is random.
  for (let time = 0; time < 3; time++) await lookUpAgain(syslogger);
  await sendLoad({ port: syslogger.port, count: 1_000 });
  await expectCleanStop(syslogger, 1_000);
  await expectEachOnce(kafka.address, topic, 1_000);
});

test('no server of the ensemble answers: it says so of each', async () => {
  const [dead, silent] = [await freePort(), await silentPort()];
  const ensemble = `127.0.0.1:${dead},127.0.0.1:${silent}`;
  const syslogger = await startDaemon(['--zookeeper', ensemble], { dontWait: true });
  const [line] = await syslogger.waitForLog(/waiting for Kafka .*/);
  expect(line).toMatch(new RegExp(`ZooKeeper 127\\.0\\.0\\.1:${dead}: .*ECONNREFUSED`));
  expect(line).toContain(`ZooKeeper 127.0.0.1:${silent}: no answer within 5 s`);
  await expectCleanStop(syslogger, 0);
});

test('a wrong chroot is said', async () => {
  const syslogger = await startDaemon(['--zookeeper', `${zookeeper.address}/wrong`], {
    dontWait: true,
  });
  await syslogger.waitForLog(
    /has no \/wrong\/brokers\/ids: no Kafka has registered there yet, or the chroot is wrong/,
  );
  expect(syslogger.stderr()).not.toContain('listening on');
  await expectCleanStop(syslogger, 0);
});

test('a broker without host, whose endpoints have names of their own', async () => {
  const topic = 'endpoints';
  const registration = {
    listener_security_protocol_map: { TLS: 'SSL', CLIENTS: 'PLAINTEXT' },
    endpoints: [`TLS://127.0.0.1:${await freePort()}`, `CLIENTS://${kafka.address}`],
    jmx_port: -1,
    host: null,
    timestamp: '1700000000000',
    port: -1,
    version: 4,
  };
  await createNode(zookeeper, '/named/brokers/ids/1', JSON.stringify(registration));
  const syslogger = await forwardTo(topic, `${zookeeper.address}/named`);
  await sendLoad({ port: syslogger.port, count: 1_000 });
  await expectCleanStop(syslogger, 1_000);
  await expectEachOnce(kafka.address, topic, 1_000);
});

test('SIGUSR1 looks the brokers up again, under load and several times', async () => {
  const topic = 'looked-up';
  const count = 40_000;
  const syslogger = await forwardTo(topic);
  await lookUpAgain(syslogger);
  const load = sendLoad({ port: syslogger.port, count, rate: 10_000, connections: 3 });
  for (let time = 0; time < 5; time++) await lookUpAgain(syslogger);
  for (let time = 0; time < 5; time++) syslogger.child.signal('SIGUSR1');
  await load;
  await lookUpAgain(syslogger);
  await expectCleanStop(syslogger, count);
  await expectEachOnce(kafka.address, topic, count);
  expect(syslogger.stderr()).toContain(
    'SIGUSR1: looking up again where Kafka topic looked-up (ZooKeeper 127',
  );
});

test('a broker that moves to another port under load, several times', async () => {
  const topic = 'moved';
  const count = 150_000;
  const syslogger = await forwardTo(topic);
  const load = sendLoad({ port: syslogger.port, count, rate: 10_000, connections: 3 });
  for (let time = 1; time <= 2; time++) {
    await waitForRecords(kafka.address, topic, time * 15_000);
    await kafka.stop();
    await kafka.start({ port: await freePort() });
  }
  await load;
  await expectCleanStop(syslogger, count);
  await expectEachOnce(kafka.address, topic, count);
});

test('ZooKeeper goes away and comes back under load', async () => {
  const topic = 'alone';
  const count = 60_000;
  const syslogger = await forwardTo(topic);
  const load = sendLoad({ port: syslogger.port, count, rate: 10_000, connections: 3 });
  await waitForRecords(kafka.address, topic, 5_000);
  await zookeeper.stop();
  syslogger.child.signal('SIGUSR1');
  await syslogger.waitForLog(/SIGUSR1: can't look it up, going on as before: ZooKeeper 127\S+: /);
  await waitForRecords(kafka.address, topic, 45_000);
  await zookeeper.restart();
  await lookUpAgain(syslogger);
  await load;
  await expectCleanStop(syslogger, count);
  await expectEachOnce(kafka.address, topic, count);
});
