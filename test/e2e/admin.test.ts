import { beforeAll, expect, onTestFinished, setDefaultTimeout, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { type Admin, adminAt } from '../support/admin.ts';
import { useCluster } from '../support/cluster.ts';
import { expectCleanStop, expectEachOnce, startDaemon } from '../support/delivery.ts';
import { ensureDebian } from '../support/install.ts';
import { startKafka } from '../support/kafka.ts';
import { sendLoad } from '../support/load.ts';
import { connectPeer, sendStream } from '../support/peer.ts';
import { freePort } from '../support/ports.ts';
import { start as startProgram } from '../support/process.ts';
import { runSyslogger, type Syslogger } from '../support/syslogger.ts';
import { createTopic } from '../support/topics.ts';
import { waitFor } from '../support/wait.ts';

setDefaultTimeout(120_000);
const cluster = useCluster();

beforeAll(() => ensureDebian(['promtool']));

/** A daemon that forwards to a new topic, with its admin page. */
async function start(
  topic: string,
  ...args: string[]
): Promise<{ syslogger: Syslogger; admin: Admin }> {
  await createTopic(cluster.kafka.address, { topic, partitions: 2 });
  const port = await freePort();
  const where = ['--zookeeper', cluster.zookeeper.address, '--topic', topic];
  const syslogger = await startDaemon([...where, '--admin', `127.0.0.1:${port}`, ...args]);
  return { syslogger, admin: adminAt(port) };
}

/** Sends until the test ends or `stop` is called, which tells how much was sent. */
function sendSteadily(syslogger: Syslogger, rate: number, connections = 4) {
  const enough = new AbortController();
  onTestFinished(() => enough.abort());
  const load = sendLoad({
    port: syslogger.port,
    count: Number.POSITIVE_INFINITY,
    signal: enough.signal,
    ...{ rate, connections },
  });
  return {
    stop: async () => {
      enough.abort();
      return (await load).sent;
    },
  };
}

test('/metrics: promtool finds nothing to complain of, and the figures are those of the ledger', async () => {
  const { syslogger, admin } = await start('metrics');
  await sendLoad({ port: syslogger.port, count: 10_000, connections: 3 });
  await waitFor('all is acknowledged', async () => {
    return (await admin.metrics()).get('syslogger_messages_acknowledged_total') === 10_000;
  });

  const { status, type, text } = await admin.get('/metrics');
  expect({ status, type }).toEqual({
    status: 200,
    type: 'text/plain; version=0.0.4; charset=utf-8',
  });
  const check = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  expect({ status: check.status, said: check.stdout + check.stderr }).toEqual({
    status: 0,
    said: '',
  });

  const metrics = await admin.metrics();
  const { ledger, version } = await admin.status();
  expect(ledger.received_bytes).toBeGreaterThan(10_000 * 50);
  expect(Object.fromEntries(metrics)).toMatchObject({
    syslogger_connections_accepted_total: 3,
    syslogger_messages_received_total: 10_000,
    syslogger_messages_unparsed_total: 0,
    syslogger_messages_in_parts_total: 0,
    syslogger_received_bytes_total: ledger.received_bytes,
    syslogger_unacknowledged_messages: 0,
    syslogger_unacknowledged_bytes: 0,
    syslogger_batch_messages_sum: 10_000,
    syslogger_retries_total: 0,
    syslogger_stalled_seconds: 0,
    syslogger_ready: 1,
  });
  const batches = metrics.get('syslogger_batch_messages_count') ?? 0;
  expect(batches).toBeGreaterThan(0);
  expect(metrics.get('syslogger_produce_latency_seconds_count')).toBe(batches);
  expect(text).toContain(`syslogger_produce_latency_seconds_bucket{le="+Inf"} ${batches}\n`);
  expect(text).toContain(`syslogger_info{version="${version}",commit="`);
  await expectCleanStop(syslogger, 10_000);
});

test('/status adds up at any moment, and names brokers, partitions and senders', async () => {
  const { syslogger, admin } = await start('status');
  const load = sendSteadily(syslogger, 30_000);
  await waitFor('messages come', async () => (await admin.status()).ledger.received > 1_000);
  const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
  for (let i = 0; i < 50; i++) {
    const { ledger, connections } = await admin.status();
    expect(ledger.received).toBe(ledger.acknowledged + ledger.in_flight);
    expect(connections).toHaveLength(4);
    expect(sum(connections.map(({ received }) => received))).toBe(ledger.received);
    expect(sum(connections.map(({ unacknowledged }) => unacknowledged))).toBe(ledger.in_flight);
  }
  const { sink, connections, ready, delivery } = await admin.status();
  expect(sink).toMatchObject({
    topic: 'status',
    found_in: `ZooKeeper ${cluster.zookeeper.address}`,
    brokers: [{ id: 1, address: cluster.kafka.address, connected: true }],
    partitions: [
      { id: 0, leader: 1, problem: null },
      { id: 1, leader: 1, problem: null },
    ],
  });
  expect({ ready, state: delivery.state }).toEqual({ ready: true, state: 'ok' });
  for (const { listener, peer } of connections) {
    expect(listener).toStartWith('tcp://127.0.0.1:');
    expect(peer).toMatch(/^127\.0\.0\.1:\d+$/);
  }
  await expectCleanStop(syslogger, await load.stop());
});

test('Kafka stands still under load: 503 with the reason, alive all the time, then ready again', async () => {
  const { syslogger, admin } = await start('stalled', '--max-unacknowledged', '1000000');
  const load = sendSteadily(syslogger, 30_000);
  await waitFor('messages come', async () => (await admin.status()).ledger.received > 1_000);
  expect(await admin.ready()).toMatchObject({ status: 200, text: 'ready\n' });
  onTestFinished(() => cluster.kafka.resume());
  cluster.kafka.pause();
  const { text } = await waitFor('503', async () => {
    expect((await admin.get('/healthz')).status).toBe(200);
    const answer = await admin.ready();
    return answer.status === 503 && answer;
  });
  expect(text).toMatch(/^nothing acknowledged for \d+ s, messages waiting: \d{3,}: topic stalled/);
  const { connections, delivery, ledger } = await admin.status();
  expect(delivery.state).toBe('warning');
  expect(ledger.received).toBe(ledger.acknowledged + ledger.in_flight);
  for (const { held_seconds } of connections) expect(held_seconds).toBeGreaterThan(1);
  cluster.kafka.resume();
  await waitFor('ready again', async () => (await admin.ready()).status === 200);
  expect((await admin.status()).delivery).toMatchObject({ state: 'ok', stalled_seconds: 0 });
  const sent = await load.stop();
  await expectCleanStop(syslogger, sent);
  await expectEachOnce(cluster.kafka.address, 'stalled', sent);
});

test('Kafka is gone while nothing is sent: 503 all the same, then ready again', async () => {
  const { syslogger, admin } = await start('gone');
  expect((await admin.ready()).status).toBe(200);
  await cluster.kafka.kill();
  const { text } = await waitFor('503', async () => {
    const answer = await admin.ready();
    return answer.status === 503 && answer;
  });
  expect(text).toInclude('waiting for Kafka (ZooKeeper ');
  await cluster.kafka.start();
  await waitFor('ready again', async () => (await admin.ready()).status === 200);
  await sendLoad({ port: syslogger.port, count: 10 });
  await expectCleanStop(syslogger, 10);
});

test('a message that the topic takes in no way: warned of, while others are delivered', async () => {
  const config = { 'max.message.bytes': 180 };
  await createTopic(cluster.kafka.address, { topic: 'tiny', partitions: 2, config });
  const port = await freePort();
  const where = ['--brokers', cluster.kafka.address, '--topic', 'tiny', '--drain-timeout', '1'];
  const syslogger = await startDaemon([...where, '--admin', `127.0.0.1:${port}`]);
  const admin = adminAt(port);
  await sendStream(syslogger.port, `<13>app: ${'x'.repeat(110)}\n`);
  const { description } = await waitFor('warning', async () => {
    await sendStream(syslogger.port, '<13>a: b\n');
    const { delivery } = await admin.status();
    return delivery.state === 'warning' && delivery;
  });
  expect(description).toMatch(
    /^some messages have been waiting for \d+ s: topic tiny takes no record/,
  );
  expect((await admin.ready()).status).toBe(200);
  const metrics = await admin.metrics();
  expect(metrics.get('syslogger_state')).toBe(1);
  expect(metrics.get('syslogger_oldest_unacknowledged_seconds')).toBeGreaterThan(4);
  expect((await syslogger.stop()).code).toBe(1);
});

test('before Kafka is reached it is alive, and not ready', async () => {
  const port = await freePort();
  const nobody = `127.0.0.1:${await freePort()}`;
  const args = ['--brokers', nobody, '--admin', `127.0.0.1:${port}`];
  const syslogger = await startDaemon(args, { dontWait: true });
  await syslogger.waitForLog(/waiting for Kafka/);
  const admin = adminAt(port);
  expect((await admin.get('/healthz')).status).toBe(200);
  const { status, text } = await admin.ready();
  expect(status).toBe(503);
  expect(text).toMatch(/^not listening yet: waiting for Kafka .*ECONNREFUSED/);
  expect((await admin.metrics()).get('syslogger_ready')).toBe(0);
  await waitFor('warning', async () => (await admin.status()).delivery.state === 'warning');
  expect((await syslogger.stop()).code).toBe(0);
});

test('while it stops it is alive, and not ready', async () => {
  const { syslogger, admin } = await start('stopping');
  const peer = await connectPeer(syslogger.port);
  // A message that has begun: the stop waits for its end.
  await peer.send('<13>app: begun');
  await waitFor('it is connected', async () => (await admin.status()).connections.length === 1);
  const stopped = syslogger.stop();
  await syslogger.waitForLog(/SIGTERM/);
  expect(await admin.ready()).toMatchObject({ status: 503, text: 'stopping\n' });
  expect((await admin.get('/healthz')).status).toBe(200);
  await peer.send(' and done\n');
  await peer.close();
  expect((await stopped).code).toBe(0);
});

test('one of two brokers is gone while nothing is sent to it: warned of', async () => {
  const second = await startKafka({ zookeeper: cluster.zookeeper.address, brokerId: 2 });
  const brokers = [cluster.kafka.address, second.address];
  await createTopic(brokers, { topic: 'half', assignment: [[1], [2]] });
  const port = await freePort();
  const where = ['--brokers', cluster.kafka.address, '--topic', 'half'];
  const syslogger = await startDaemon([...where, '--admin', `127.0.0.1:${port}`]);
  const admin = adminAt(port);
  await second.kill();
  await waitFor('warning', async () => (await admin.status()).delivery.state === 'warning');
  const { delivery, ready } = await admin.status();
  expect(delivery.description).toBe(
    "topic half: the leaders of partition 1 can't be reached; messages go to the others",
  );
  expect({ ready, stalled: delivery.stalled_seconds }).toEqual({ ready: true, stalled: 0 });
  await second.start();
  await waitFor('ok again', async () => (await admin.status()).delivery.state === 'ok');
  await syslogger.waitForLog(/topic half: all well again after/);
  expect((await syslogger.stop()).code).toBe(0);
  await second.stop();
});

test('a port that is taken: an error if it was asked for, a warning if it is the default', async () => {
  const server = createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const taken = typeof address === 'object' && address ? address.port : 0;
  const args = ['--stdout', '--port', '0', '--admin', `127.0.0.1:${taken}`];
  const { code, stderr } = await runSyslogger(args);
  expect(code).toBe(78);
  expect(stderr).toMatch(
    /^syslogger: can't listen on http:\/\/127\.0\.0\.1:\d+: it is taken [^\n]+\n$/,
  );
});

test('syslog on the default port of the admin page: without the page, and it says so', async () => {
  const daemon = startProgram('syslogger', [
    'dist/syslogger',
    '--stdout',
    '--listen',
    'tcp://127.0.0.1:8514',
  ]);
  await daemon.waitForLine(
    /no admin page at http:\/\/127\.0\.0\.1:8514: (syslog is taken there|.*taken.*); give another --admin/,
  );
  await daemon.stop();
});
