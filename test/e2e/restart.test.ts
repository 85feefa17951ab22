import { expect, test } from 'bun:test';
import { useCluster } from '../support/cluster.ts';
import { readTopic } from '../support/consume.ts';
import { checkNumbered } from '../support/lines.ts';
import { sendLoad } from '../support/load.ts';
import { freePort } from '../support/ports.ts';
import { startRsyslogd } from '../support/rsyslogd.ts';
import { type Stopped, startSyslogger } from '../support/syslogger.ts';
import { createTopic } from '../support/topics.ts';
import { sleep } from '../support/wait.ts';

const RESTARTS = 12;
const RATE = 12_000;
/** rsyslog notices that we are back after up to a second. */
const SECONDS_A_ROUND = 2;
const COUNT = RATE * SECONDS_A_ROUND * (RESTARTS + 1);

const cluster = useCluster();

test(`${RESTARTS} restarts with SIGTERM at ${RATE} messages/s behind rsyslogd`, async () => {
  const topic = 'restarts';
  await createTopic(cluster.kafka.address, { topic, partitions: 2 });
  const listen = `tcp://127.0.0.1:${await freePort()}`;
  const args = ['--listen', listen, '--zookeeper', cluster.zookeeper.address, '--topic', topic];
  let syslogger = await startSyslogger({ args });
  // rsyslog itself repeats the messages of a batch that its connection's end cuts in two.
  const rsyslogd = await startRsyslogd({ target: { port: syslogger.port }, batchSize: 1 });

  const load = sendLoad({ port: rsyslogd.inputPort, count: COUNT, rate: RATE, connections: 2 });
  const stops: Stopped[] = [];
  for (let round = 0; round < RESTARTS; round++) {
    await sleep(SECONDS_A_ROUND * 1000);
    stops.push(await syslogger.stop());
    syslogger = await startSyslogger({ args });
  }
  await load;
  await rsyslogd.waitUntilQueueEmpty(COUNT);
  stops.push(await syslogger.stop());
  await rsyslogd.stop();

  const records = await readTopic(cluster.kafka.address, topic, { count: COUNT });
  const values = records.map(({ value }) => value);
  expect(checkNumbered(values, COUNT)).toEqual({ missing: [], repeated: [] });
  expect(stops.map(({ code }) => code)).toEqual(stops.map(() => 0));
  for (const { ledger } of stops)
    expect(ledger).toMatch(/received (\d+) = acknowledged \1 \+ in flight 0;/);
  const times = stops.map(({ ms }) => Math.round(ms));
  console.log(`stops took ${times.join(', ')} ms`);
});

test('restarts while rsyslogd has nothing to send: what comes afterwards is there once', async () => {
  const topic = 'idle-restarts';
  await createTopic(cluster.kafka.address, { topic });
  const listen = `tcp://127.0.0.1:${await freePort()}`;
  const args = ['--listen', listen, '--zookeeper', cluster.zookeeper.address, '--topic', topic];
  let syslogger = await startSyslogger({ args });
  const rsyslogd = await startRsyslogd({ target: { port: syslogger.port }, batchSize: 1 });

  const rounds = 4;
  const each = 50;
  for (let round = 0; round < rounds; round++) {
    await sendLoad({ port: rsyslogd.inputPort, from: round * each, count: each });
    await rsyslogd.waitUntilQueueEmpty((round + 1) * each);
    const { code, ledger } = await syslogger.stop();
    expect(ledger).toContain(`received ${each} = acknowledged ${each} + in flight 0;`);
    expect(code).toBe(0);
    syslogger = await startSyslogger({ args });
  }
  await syslogger.stop();
  await rsyslogd.stop();

  const records = await readTopic(cluster.kafka.address, topic, { count: rounds * each });
  const values = records.map(({ value }) => value);
  expect(checkNumbered(values, rounds * each)).toEqual({ missing: [], repeated: [] });
});
