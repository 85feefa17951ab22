import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { documentsOf, stopDrained, waitForDocuments } from '../support/documents.ts';
import { openFifo } from '../support/fifo.ts';
import { connectPeer, dropPeers, sendStream } from '../support/peer.ts';
import { type Syslogger, startSyslogger } from '../support/syslogger.ts';
import { sleep, waitFor } from '../support/wait.ts';

/** Far longer than any of these stops takes; a stop that waits for it has failed. */
const LONG_DRAIN = ['--drain-timeout', '50'];
const LONG_DRAIN_MS = 50_000;

setDefaultTimeout(60_000);
afterEach(dropPeers);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal}: the sender gets a FIN, and what it sends until it closes is forwarded`, async () => {
    const daemon = await start();
    const peer = await connectPeer(daemon.port);
    await peer.send('<13>app: before\n');
    await waitForDocuments(daemon, 1);
    daemon.child.signal(signal);
    await waitFor('the sender gets no FIN', peer.hasSeenEnd);
    expect(peer.isClosed()).toBe(false);
    await peer.send('<13>app: after\n<13>app: unfinished');
    await waitForDocuments(daemon, 2);
    await peer.send(' line');
    await peer.close();

    expect(await daemon.child.exited).toEqual({ code: 0, signal: null });
    const messages = documentsOf(daemon).map(({ message }) => message);
    expect(messages).toEqual(['before', 'after', 'unfinished line']);
    expect(daemon.stderr()).toInclude(`${signal}: stopping, reading what the senders still send\n`);
    expect(daemon.stderr()).toEndWith(
      ' received 3 = acknowledged 3 + in flight 0; unparsed 0, parts 0, bytes 53, connections 1\n',
    );
  });
}

test('after the stop nobody new is let in', async () => {
  const daemon = await start();
  const peer = await connectPeer(daemon.port);
  daemon.child.signal('SIGTERM');
  await waitFor('the sender gets no FIN', peer.hasSeenEnd);
  expect(connectPeer(daemon.port)).rejects.toThrow('ECONNREFUSED');
  await peer.send('<13>app: still here\n');
  await peer.close();
  expect((await daemon.child.exited).code).toBe(0);
  expect(documentsOf(daemon)).toHaveLength(1);
});

test('an idle sender that never closes holds the stop for about a second', async () => {
  const daemon = await start();
  const idle = await connectPeer(daemon.port);
  await connectPeer(daemon.port);
  await idle.send('<13>app: long ago\n');
  await waitForDocuments(daemon, 1);
  const { code, ms } = await daemon.stop();
  expect(code).toBe(0);
  expect(ms).toBeLessThan(LONG_DRAIN_MS / 2);
  expect(idle.hasSeenEnd()).toBe(true);
});

test('what comes while the process stands still in its stop is forwarded', async () => {
  const daemon = await start();
  const peer = await connectPeer(daemon.port);
  daemon.child.signal('SIGTERM');
  await waitFor('the sender gets no FIN', peer.hasSeenEnd);
  daemon.pause();
  await peer.send('<13>app: meanwhile\n'.repeat(100));
  // By the clock this sender has been silent for long enough when the process goes on.
  await sleep(1_300);
  daemon.resume();
  await waitForDocuments(daemon, 100);
  await peer.close();
  expect((await daemon.child.exited).code).toBe(0);
  expect(documentsOf(daemon)).toHaveLength(100);
});

test('a sender that goes on sending holds the stop until --drain-timeout', async () => {
  const daemon = await start('--drain-timeout', '2');
  const peer = await connectPeer(daemon.port);
  const stopped = daemon.stop();
  let sent = 0;
  while (!daemon.child.exit()) {
    await peer.send('<13>app: more\n').then(
      () => sent++,
      () => {},
    );
    await sleep(100);
  }
  expect((await stopped).code).toBe(1);
  expect(sent).toBeGreaterThan(5);
  expect(daemon.stderr()).toMatch(
    / error --drain-timeout of 2 s is over: left unacknowledged messages 0, open connections 1\n/,
  );
});

for (const [what, stream, forwarded] of [
  ['a line', '<13>app: begun', { message: 'begun' }],
  ['an octet-counted frame', '50 <13>app: begun', { message: 'begun', error: expect.any(String) }],
  ['an octet count', '5', { message: '5' }],
] as const) {
  test(`a sender in the middle of ${what} holds the stop until --drain-timeout, and what came is forwarded`, async () => {
    const daemon = await start('--drain-timeout', '1.5');
    const peer = await connectPeer(daemon.port);
    await peer.send(stream);
    await sendStream(daemon.port, '<13>app: other\n');
    await waitForDocuments(daemon, 1);
    const { code, ledger } = await daemon.stop();
    expect(code).toBe(1);
    expect(daemon.stderr()).toMatch(
      / error --drain-timeout of 1.5 s is over: left unacknowledged messages 0, open connections 1\n/,
    );
    expect(documentsOf(daemon)[1]).toMatchObject(forwarded);
    expect(ledger).toInclude(' received 2 = acknowledged 2 + in flight 0; ');
  });
}

test('a reader of stdout that stands still holds the stop until --drain-timeout', async () => {
  const fifo = await openFifo();
  const args = ['--stdout', '--drain-timeout', '1'];
  const daemon = await startSyslogger({ args, fifo: fifo.path });
  await sendStream(daemon.port, `<13>app: ${'x'.repeat(100)}\n`.repeat(1_500));
  const { code, ledger } = await daemon.stop();
  fifo.close();
  expect(code).toBe(1);
  const [, left] =
    daemon.stderr().match(/over: left unacknowledged messages (\d+), open connections 0/) ?? [];
  expect(Number(left)).toBeGreaterThan(0);
  expect(ledger).toInclude(
    ` received 1500 = acknowledged ${1500 - Number(left)} + in flight ${left}; `,
  );
});

test('a second signal ends it at once', async () => {
  const daemon = await start();
  const peer = await connectPeer(daemon.port);
  await peer.send('<13>app: whole\n<13>app: begun');
  await waitForDocuments(daemon, 1);
  daemon.child.signal('SIGTERM');
  await waitFor('the sender gets no FIN', peer.hasSeenEnd);
  const { code, ms, ledger } = await daemon.stop('SIGINT');
  expect(code).toBe(1);
  expect(ms).toBeLessThan(LONG_DRAIN_MS / 2);
  expect(daemon.stderr()).toInclude(' warn SIGINT again: stopping at once\n');
  expect(ledger).toInclude(' received 1 = acknowledged 1 + in flight 0; ');
});

test('without connections it ends at once', async () => {
  const daemon = await start();
  await sendStream(daemon.port, '<13>app: gone\n');
  expect(await stopDrained(daemon)).toBe(1);
});

test('senders that wait to be accepted when it is stopped lose nothing', async () => {
  const daemon = await start();
  await sendStream(daemon.port, '<13>app: first\n');
  daemon.pause();
  const peers = await Promise.all(Array.from({ length: 100 }, () => connectPeer(daemon.port)));
  await Promise.all(peers.map((peer, n) => peer.send(`<13>app: ${n}\n`)));
  daemon.child.signal('SIGTERM');
  daemon.resume();
  await Promise.all(peers.map((peer) => peer.close()));
  expect((await daemon.child.exited).code).toBe(0);
  const messages = documentsOf(daemon).map(({ message }) => message);
  expect(messages.sort()).toEqual(['first', ...peers.map((_, n) => `${n}`)].sort());
});

function start(...args: string[]): Promise<Syslogger> {
  return startSyslogger({ args: ['--stdout', ...(args.length > 0 ? args : LONG_DRAIN)] });
}
