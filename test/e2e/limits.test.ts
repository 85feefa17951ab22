import { afterEach, expect, onTestFinished, setDefaultTimeout, test } from 'bun:test';
import { adminAt } from '../support/admin.ts';
import { startDaemon } from '../support/delivery.ts';
import { documentsOf, waitForDocuments } from '../support/documents.ts';
import { checkNumbered } from '../support/lines.ts';
import { sendLoad } from '../support/load.ts';
import { connectPeer, dropPeers, type Peer } from '../support/peer.ts';
import { freePort } from '../support/ports.ts';
import { startRsyslogd } from '../support/rsyslogd.ts';
import { sleep, waitFor } from '../support/wait.ts';

const MB = 1024 * 1024;

setDefaultTimeout(120_000);
afterEach(dropPeers);

async function start(...args: string[]) {
  const port = await freePort();
  const daemon = await startDaemon(['--stdout', '--admin', `127.0.0.1:${port}`, ...args]);
  const counted = async (name: string) =>
    (await adminAt(port).metrics()).get(
      `syslogger_listener_${name}{listener="tcp://127.0.0.1:${daemon.port}"}`,
    );
  return { daemon, counted };
}

async function connectMany(port: number, count: number): Promise<Peer[]> {
  const peers: Peer[] = [];
  while (peers.length < count) {
    const some = Array.from({ length: Math.min(100, count - peers.length) }, () =>
      connectPeer(port),
    );
    peers.push(...(await Promise.all(some)));
  }
  return peers;
}

test('--max-connections: the next one is refused and counted, until one of them goes', async () => {
  const { daemon, counted } = await start('--max-connections', '3');
  const peers = await connectMany(daemon.port, 3);
  const fourth = await connectPeer(daemon.port);
  await waitFor('the fourth is let in', fourth.isClosed);
  expect(await counted('connections_refused_total')).toBe(1);
  expect(await counted('connections')).toBe(3);
  expect(daemon.stderr()).toMatch(
    /tcp:\/\/127\.0\.0\.1:\d+: 127\.0\.0\.1:\d+ is refused, since 3 are connected \(--max-connections\)/,
  );
  await peers[1]?.close();
  const fifth = await connectPeer(daemon.port);
  await fifth.send('<13>app: fifth\n');
  await waitForDocuments(daemon, 1);
  expect(await counted('connections_accepted_total')).toBe(4);
  for (const peer of [...peers, fifth]) expect(peer.isClosed()).toBe(peer === peers[1]);
});

test('connections that break make room like those that end', async () => {
  const { daemon, counted } = await start('--max-connections', '2');
  for (let round = 0; round < 20; round++) {
    const [one, two] = await connectMany(daemon.port, 2);
    await one?.send('<13>app: one\n');
    await waitForDocuments(daemon, round + 1);
    await one?.reset();
    await two?.close();
    await waitFor('room', async () => (await counted('connections')) === 0);
  }
  expect(await counted('connections_refused_total')).toBe(0);
});

test('who sends no whole message in time is dropped; a sender that was heard may be quiet', async () => {
  const { daemon, counted } = await start('--first-message-timeout', '2');
  const sender = await connectPeer(daemon.port);
  await sender.send('<13>app: heard\n');
  const silent = await connectPeer(daemon.port);
  const unfinished = await connectPeer(daemon.port);
  await unfinished.send('<13>app: unfini');
  const dripping = await connectPeer(daemon.port);
  const drip = setInterval(() => dripping.send('x').catch(() => {}), 100);
  onTestFinished(() => clearInterval(drip));
  for (const peer of [silent, unfinished, dripping]) await waitFor('dropped', peer.isClosed);
  expect(await counted('connections_dropped_total')).toBe(3);
  expect(daemon.stderr()).toMatch(
    /is dropped: no whole message in 2 s \(--first-message-timeout\)/,
  );
  await sleep(1_000);
  await sender.send('<13>app: again\n');
  // What came of the others is not lost.
  const documents = await waitForDocuments(daemon, 4);
  const messages = documents.map(({ message = '' }) => message).sort();
  expect(messages[0]).toBe('again');
  expect(messages.slice(1, 3)).toEqual(['heard', 'unfini']);
  expect(messages[3]).toMatch(/^x+$/);
  expect(sender.isClosed()).toBe(false);
});

test('2,000 connections that drip a byte a second do not keep rsyslogd from sending', async () => {
  const { daemon, counted } = await start();
  const rsyslogd = await startRsyslogd({ target: { port: daemon.port } });
  onTestFinished(() => rsyslogd.kill());
  await sendLoad({ port: rsyslogd.inputPort, count: 1_000 });
  await waitForDocuments(daemon, 1_000);
  const dripping = await connectMany(daemon.port, 2_000);
  const before = daemon.rss();
  const drip = setInterval(() => {
    for (const peer of dripping) peer.send('<').catch(() => {});
  }, 1_000);
  onTestFinished(() => clearInterval(drip));
  const count = 200_000;
  await sendLoad({ port: rsyslogd.inputPort, from: 1_000, count: count - 1_000, rate: 20_000 });
  const received = () => daemon.stdout().split('\n').length - 1;
  await waitFor('all messages', () => received() >= count, { timeoutMs: 60_000, everyMs: 500 });
  const lines = daemon.stdout().split('\n').slice(0, -1);
  expect(
    checkNumbered(
      lines.map((line) => Buffer.from(line)),
      count,
    ),
  ).toEqual({ missing: [], repeated: [] });
  expect(await counted('connections')).toBe(2_001);
  expect(daemon.rss() - before).toBeLessThan(100 * MB);
  expect(daemon.rss()).toBeLessThan(250 * MB);
  expect(documentsOf(daemon).length).toBe(count);
});
