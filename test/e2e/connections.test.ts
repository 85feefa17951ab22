import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { documentsOf, stopDrained, waitForDocuments } from '../support/documents.ts';
import { openFifo } from '../support/fifo.ts';
import { checkNumbered, numberedLine } from '../support/lines.ts';
import { connectPeer, dropPeers, type Peer, sendStream } from '../support/peer.ts';
import { type Syslogger, startSyslogger } from '../support/syslogger.ts';
import { sleep, waitFor } from '../support/wait.ts';

const MEGABYTE = 2 ** 20;

setDefaultTimeout(60_000);
afterEach(dropPeers);

test('500 senders in the middle of a frame don’t keep others from being served', async () => {
  const daemon = await startSyslogger({ args: ['--stdout'] });
  const peers = await connectMany(daemon, 500);
  await Promise.all(peers.map((peer, n) => peer.send(`<13>app: seq=${n}`)));
  await sendStream(daemon.port, '<13>app: other\n');
  expect((await waitForDocuments(daemon, 1)).map(({ message }) => message)).toEqual(['other']);

  await Promise.all(peers.map((peer, n) => peer.send(n % 2 === 0 ? ' end\n' : ' end')));
  await Promise.all(peers.map((peer) => peer.close()));
  const documents = (await waitForDocuments(daemon, 501)).slice(1);
  expect(
    checkNumbered(
      documents.map(({ message = '' }) => Buffer.from(message)),
      500,
    ),
  ).toEqual({
    missing: [],
    repeated: [],
  });
  expect(await stopDrained(daemon)).toBe(501);
});

test('1,000 connections on which nothing comes leave nothing behind', async () => {
  const daemon = await startSyslogger({ args: ['--stdout'] });
  const before = openFiles(daemon);
  for (let round = 0; round < 10; round++) {
    const peers = await connectMany(daemon, 100);
    await Promise.all(peers.map((peer, n) => (n % 2 === 0 ? peer.close() : peer.reset())));
  }
  await waitFor('connections stay open', () => openFiles(daemon) <= before);
  await sendStream(daemon.port, '<13>app: next\n');
  await waitForDocuments(daemon, 1);
  expect(await stopDrained(daemon)).toBe(1);
});

test('a sender that never closes is forwarded as it comes', async () => {
  const daemon = await startSyslogger({ args: ['--stdout'] });
  const peer = await connectPeer(daemon.port);
  for (let n = 1; n <= 3; n++) {
    await peer.send(`<13>app: ${n}\n`);
    expect((await waitForDocuments(daemon, n)).at(-1)?.message).toBe(`${n}`);
    await sendStream(daemon.port, '');
  }
  expect(peer.hasSeenEnd()).toBe(false);
  expect(documentsOf(daemon)).toHaveLength(3);
  await daemon.kill();
});

test('a reader of stdout that stands still holds the sender, and then gets everything', async () => {
  const fifo = await openFifo();
  const daemon = await startSyslogger({ args: ['--stdout'], fifo: fifo.path });
  const peer = await connectPeer(daemon.port);
  const load = new Load(peer, 64 * MEGABYTE);
  await load.untilHeld();
  expect(load.sent).toBeLessThan(32 * MEGABYTE);
  expect(daemon.rss()).toBeLessThan(200 * MEGABYTE);
  load.stop();

  const chunks: Buffer[] = [];
  let isOver = false;
  const closed = load.finished.then(() => peer.close());
  const stopped = closed
    .then(() => daemon.stop())
    .finally(() => {
      isOver = true;
    });
  while (!isOver) {
    const chunk = fifo.read();
    if (chunk.length > 0) chunks.push(chunk);
    else await sleep(1);
  }
  for (let rest = fifo.read(); rest.length > 0; rest = fifo.read()) chunks.push(rest);
  fifo.close();
  expect((await stopped).code).toBe(0);
  const lines = Buffer.concat(chunks).toString().split('\n').slice(0, -1);
  expect(lines).toHaveLength(load.messages);
  expect(
    checkNumbered(
      lines.map((line) => Buffer.from(line)),
      load.messages,
    ),
  ).toEqual({
    missing: [],
    repeated: [],
  });
});

test('when stdout’s reader is gone it says so and exits 1', async () => {
  const fifo = await openFifo();
  const daemon = await startSyslogger({ args: ['--stdout'], fifo: fifo.path });
  await sendStream(daemon.port, '<13>app: read\n');
  await waitFor('nothing came', () => fifo.read().length > 0);
  fifo.close();
  await sendStream(daemon.port, '<13>app: unread\n');
  expect(await waitFor('it runs on', daemon.child.exit)).toEqual({ code: 1, signal: null });
  const [, error, ledger, ...more] = daemon.stderr().trimEnd().split('\n');
  expect(error).toMatch(
    / error standard output is closed \(.*EPIPE.*\): nothing can be delivered$/,
  );
  expect(ledger).toInclude(' received 2 = acknowledged 1 + in flight 1; ');
  expect(more).toEqual([]);
});

/** Sends numbered lines for as long as they are taken. */
class Load {
  sent = 0;
  messages = 0;
  readonly finished: Promise<void>;
  private isStopped = false;

  constructor(peer: Peer, most: number) {
    this.finished = this.run(peer, most);
  }

  /** Resolves when a second has passed in which nothing was taken. */
  async untilHeld(): Promise<void> {
    for (let before = -1; before !== this.sent; await sleep(1000)) before = this.sent;
  }

  stop(): void {
    this.isStopped = true;
  }

  private async run(peer: Peer, most: number): Promise<void> {
    while (!this.isStopped && this.sent < most) {
      const first = this.messages;
      this.messages += 500;
      const lines = Array.from({ length: 500 }, (_, i) => `${numberedLine(first + i)}\n`).join('');
      await peer.send(lines);
      this.sent += lines.length;
    }
  }
}

async function connectMany(daemon: Syslogger, count: number): Promise<Peer[]> {
  return Promise.all(Array.from({ length: count }, () => connectPeer(daemon.port)));
}

function openFiles({ pid }: Syslogger): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
