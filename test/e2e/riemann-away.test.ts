import { beforeAll, expect, onTestFinished, setDefaultTimeout, test } from 'bun:test';
import { adminAt } from '../support/admin.ts';
import { useCluster } from '../support/cluster.ts';
import { expectCleanStop, expectEachOnce, startDaemon } from '../support/delivery.ts';
import { ensureDebian } from '../support/install.ts';
import { sendLoad } from '../support/load.ts';
import { freePort } from '../support/ports.ts';
import { type RiemannServer, startRiemannServer } from '../support/riemann-server.ts';
import { createTopic } from '../support/topics.ts';
import { waitFor } from '../support/wait.ts';

setDefaultTimeout(120_000);
const cluster = useCluster();

beforeAll(() => ensureDebian(['protoc']));

const MB = 1024 * 1024;
const RATE = 20_000;

test('Riemann answers, hangs, refuses, answers with errors and is back, under load', async () => {
  const topic = 'unimpressed';
  const riemann = await startRiemannServer();
  onTestFinished(() => riemann.stop());
  await createTopic(cluster.kafka.address, { topic });
  const port = await freePort();
  const syslogger = await startDaemon([
    ...['--brokers', cluster.kafka.address, '--topic', topic, '--admin', `127.0.0.1:${port}`],
    // So often that the bounded queue is full within seconds.
    ...['--riemann', `127.0.0.1:${riemann.port}`, '--riemann-interval', '0.1'],
  ]);
  const admin = adminAt(port);
  const enough = new AbortController();
  onTestFinished(() => enough.abort());
  const load = sendLoad({
    ...{ port: syslogger.port, count: Number.POSITIVE_INFINITY, rate: RATE, connections: 4 },
    signal: enough.signal,
  });
  /** Forwarding goes on: so many more messages are acknowledged, whatever Riemann does. */
  const forwarded = async (count: number) => {
    const acknowledged = async () => (await admin.status()).ledger.acknowledged;
    const before = await acknowledged();
    await waitFor('messages are acknowledged', async () => (await acknowledged()) > before + count);
  };
  const riemannOf = async () => {
    const { riemann: counts } = await admin.status();
    if (!counts) throw new Error('no Riemann in /status');
    return counts;
  };
  const flows = async () => {
    const before = riemann.received.length;
    await waitFor('events flow', () => riemann.received.length > before + 5);
    await waitFor('none wait', async () => (await riemannOf()).queued < 100);
  };

  await flows();
  await forwarded(RATE);
  const early = syslogger.rss();

  riemann.setMode('silent');
  await syslogger.waitForLog(/Riemann 127\S+: no answer within 5 s/);
  await waitFor('the queue is full', async () => (await riemannOf()).dropped > 0);
  expect((await riemannOf()).queued).toBeLessThanOrEqual(1_500);
  await forwarded(2 * RATE);

  await riemann.stop();
  await syslogger.waitForLog(/Riemann 127\S+: can't connect: .*ECONNREFUSED/);
  await forwarded(2 * RATE);

  await restart(riemann);
  riemann.setMode('error', 'index is full');
  await syslogger.waitForLog(/Riemann 127\S+: the server refused events: index is full/);
  await forwarded(2 * RATE);

  riemann.setMode('answer');
  await flows();
  await syslogger.waitForLog(/Riemann 127\S+: all well again after \d+ s/);
  await forwarded(RATE);
  const late = syslogger.rss();
  console.log(`memory ${Math.round(early / MB)} MB, then ${Math.round(late / MB)} MB`);
  expect(late - early).toBeLessThan(30 * MB);

  // What is logged is folded: a few lines for hundreds of failures.
  const lines = syslogger
    .stderr()
    .split('\n')
    .filter((line) => line.includes('iemann'));
  expect(lines.length).toBeLessThan(15);

  enough.abort();
  const { sent } = await load;
  await expectCleanStop(syslogger, sent);
  await expectEachOnce(cluster.kafka.address, topic, sent);
  const [last] = riemann.events().slice(-1);
  expect(last).toMatchObject({ service: 'syslogger kafka', state: 'stopped' });
});

/** The daemon's backoff may be long by now: the server waits for it. */
async function restart(riemann: RiemannServer): Promise<void> {
  const before = riemann.accepted();
  await riemann.start();
  await waitFor('it connects again', () => riemann.accepted() > before, { timeoutMs: 60_000 });
}
