import { expect, onTestFinished, setDefaultTimeout, test } from 'bun:test';
import { useCluster } from '../support/cluster.ts';
import { countRecords, readTopic } from '../support/consume.ts';
import { checkNumbered } from '../support/lines.ts';
import { sendLoad } from '../support/load.ts';
import { freePort } from '../support/ports.ts';
import { type Rsyslogd, startRsyslogd } from '../support/rsyslogd.ts';
import { type Stopped, type Syslogger, startSyslogger } from '../support/syslogger.ts';
import { createTopic } from '../support/topics.ts';
import { sleep, waitFor } from '../support/wait.ts';

const RATE = 12_000;
const WINDOW = 1_024;
/** More than comes while we are away: rsyslog repeats a message now and then as its queue goes to disk. */
const QUEUE = 300_000;
/** rsyslog notices that we are back after a second. */
const SECONDS_A_ROUND = 1.3;
/** What a stop takes: rsyslog closes its side a while after it was told to. */
const SECONDS_A_STOP = 0.7;

setDefaultTimeout(240_000);
const cluster = useCluster();

/** What a round of a test gets. */
interface Setup {
  topic: string;
  syslogger: Syslogger;
  rsyslogd: Rsyslogd;
  /** Starts the daemon anew as it was started, without waiting until it listens. */
  start(): Promise<Syslogger>;
}

/** A topic, a daemon that listens to RELP, and an rsyslogd with omrelp before it. */
async function setUp(topic: string, timeout?: number): Promise<Setup> {
  await createTopic(cluster.kafka.address, { topic, partitions: 2 });
  const listen = `relp://127.0.0.1:${await freePort()}`;
  const args = ['--listen', listen, '--zookeeper', cluster.zookeeper.address, '--topic', topic];
  const start = async () => {
    const syslogger = await startSyslogger({ args, dontWait: true });
    onTestFinished(() => syslogger.kill());
    return syslogger;
  };
  const syslogger = await start();
  await syslogger.waitUntilListening();
  const target = { protocol: 'relp', port: syslogger.port, windowSize: WINDOW } as const;
  const rsyslogd = await startRsyslogd({
    target: { ...target, ...(timeout && { timeout }) },
    memoryQueueSize: QUEUE,
  });
  onTestFinished(() => rsyslogd.kill());
  return { topic, syslogger, rsyslogd, start };
}

/** Waits until the topic has every one of the messages, and stops all. @returns how many are there more than once */
async function expectAll({ topic, rsyslogd }: Setup, count: number): Promise<number> {
  await rsyslogd.waitUntilQueueEmpty(count);
  await waitFor(`no ${count} records`, async () => {
    return (await countRecords(cluster.kafka.address, topic)) >= count;
  });
  // What rsyslog has no answer for yet comes within a moment, if it comes at all.
  await sleep(2_000);
  const records = await readTopic(cluster.kafka.address, topic);
  const { missing } = checkNumbered(
    records.map(({ value }) => value),
    count,
  );
  expect(missing).toEqual([]);
  return records.length - count;
}

test('10 times kill -9 behind omrelp: nothing is missing, and repeated at most a window each', async () => {
  const kills = 10;
  const count = Math.ceil(RATE * SECONDS_A_ROUND * (kills + 1));
  const setup = await setUp('relp-kill');
  let { syslogger } = setup;
  const load = sendLoad({ port: setup.rsyslogd.inputPort, count, rate: RATE, connections: 2 });
  for (let round = 0; round < kills; round++) {
    await sleep(SECONDS_A_ROUND * 1000);
    await syslogger.kill();
    syslogger = await setup.start();
  }
  await load;
  const repeated = await expectAll(setup, count);
  console.log(`repeated ${repeated} of ${count}`);
  expect(repeated).toBeLessThanOrEqual(kills * WINDOW);
});

test('10 times SIGTERM behind omrelp: nothing is missing, and nothing repeated', async () => {
  const stops: Stopped[] = [];
  const rounds = 10;
  const count = Math.ceil(RATE * (SECONDS_A_ROUND + SECONDS_A_STOP) * (rounds + 1));
  const setup = await setUp('relp-term');
  let { syslogger } = setup;
  const load = sendLoad({ port: setup.rsyslogd.inputPort, count, rate: RATE, connections: 2 });
  for (let round = 0; round < rounds; round++) {
    await sleep(SECONDS_A_ROUND * 1000);
    stops.push(await syslogger.stop());
    syslogger = await setup.start();
  }
  await load;
  expect(await expectAll(setup, count)).toBe(0);
  stops.push(await syslogger.stop());
  expect(stops.map(({ code }) => code)).toEqual(stops.map(() => 0));
  for (const { ledger } of stops) {
    expect(ledger).toMatch(/received (\d+) = acknowledged \1 \+ in flight 0;/);
  }
  console.log(`stops took ${stops.map(({ ms }) => Math.round(ms)).join(', ')} ms`);
});

test('the broker is killed and comes back, ZooKeeper is away, and we are killed meanwhile', async () => {
  const count = RATE * 25;
  const setup = await setUp('relp-faults');
  let { syslogger } = setup;
  const load = sendLoad({ port: setup.rsyslogd.inputPort, count, rate: RATE, connections: 2 });
  const killAndStart = async () => {
    await syslogger.kill();
    syslogger = await setup.start();
  };
  await sleep(2_000);
  await cluster.kafka.kill();
  await sleep(2_000);
  await killAndStart();
  await sleep(1_000);
  await cluster.kafka.start();
  await sleep(4_000);
  await killAndStart();
  await sleep(2_000);
  await cluster.zookeeper.kill();
  await sleep(1_000);
  await killAndStart();
  await sleep(3_000);
  await cluster.zookeeper.restart();
  await sleep(4_000);
  await killAndStart();
  await load;
  const repeated = await expectAll(setup, count);
  console.log(`repeated ${repeated} of ${count}`);
  expect(repeated).toBeLessThanOrEqual(5 * WINDOW);
});

test('Kafka is away for longer than omrelp has patience: nothing is missing, a window is repeated', async () => {
  const count = RATE * 19;
  const setup = await setUp('relp-patience', 4);
  const load = sendLoad({ port: setup.rsyslogd.inputPort, count, rate: RATE, connections: 2 });
  await sleep(2_000);
  onTestFinished(() => cluster.kafka.resume());
  cluster.kafka.pause();
  // It connects anew several times in that time.
  await sleep(16_000);
  cluster.kafka.resume();
  await load;
  const repeated = await expectAll(setup, count);
  console.log(`repeated ${repeated} of ${count}`);
  expect(repeated).toBeLessThanOrEqual(WINDOW);
  expect((await setup.syslogger.stop()).code).toBe(0);
});
