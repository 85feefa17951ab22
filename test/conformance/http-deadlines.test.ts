import { afterAll, expect, setDefaultTimeout, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { HUGE_BYTES } from './fixture/pages.ts';
import { Fixture, killFixtures } from './harness.ts';
import { Peer } from './peer.ts';
import { prepareTargets, type Target } from './targets.ts';
import { until } from './until.ts';

/** The limit is 5 s, looked at each second; Bun begins to count when the kernel gives up waiting. */
const PATIENCE = 20_000;
const KEEP = 'Host: x\r\n\r\n';

setDefaultTimeout(30_000);

const targets = await prepareTargets();

afterAll(killFixtures);

/** Runs `look` on all targets at once, because it takes seconds; what it returns has to be the same. */
async function onEach(look: (target: Target) => Promise<unknown>, expected: unknown) {
  const results = targets.map(async (target) => [target.name, await look(target)]);
  expect(await Promise.all(results)).toEqual(targets.map(({ name }) => [name, expected]));
}

/** How many files and sockets the process has open. */
const openFiles = ({ pid }: Fixture) => readdirSync(`/proc/${pid}/fd`).length;

test.concurrent('who is slow to ask, or to read, is dropped; who asks now and then is not', async () => {
  await onEach(dropped, ['silent', 'half', 'trickling', 'idle', 'unread']);
});

async function dropped(target: Target): Promise<string[]> {
  const fixture = await Fixture.start(target);
  const port = await fixture.serveHttp();
  const peers = {
    silent: await Peer.connect(port),
    half: await Peer.connect(port),
    trickling: await Peer.connect(port),
    idle: await Peer.connect(port),
    unread: await Peer.connect(port, { paused: true }),
    steady: await Peer.connect(port),
  };
  peers.half.say('GET / HT');
  peers.trickling.say('GET / HTTP/1.1\r\nA: ');
  peers.idle.say(`GET / HTTP/1.1\r\n${KEEP}`);
  peers.unread.say(`GET /huge HTTP/1.1\r\n${KEEP}`);
  const timers = [
    setInterval(() => peers.trickling.say('a'), 100),
    setInterval(() => peers.steady.say(`GET /big HTTP/1.1\r\n${KEEP}`), 500),
    // It reads on as soon as that can't help it any more.
    setTimeout(() => peers.unread.resume(), 7_000),
  ];
  const isOver = (peer: Peer) => peer.closed || peer.ended;
  const { steady, ...slow } = peers;
  await until('all to be dropped', () => Object.values(slow).every(isOver), PATIENCE);
  for (const timer of timers) clearInterval(timer);
  if (peers.unread.received >= HUGE_BYTES) throw new Error('the server waited for its reader');
  return Object.entries(peers).flatMap(([name, peer]) => (isOver(peer) ? [name] : []));
}

test.concurrent('connections that say nothing, or little, go away, and others get answers', async () => {
  await onEach(crowded, 200);
});

async function crowded(target: Target) {
  const fixture = await Fixture.start(target);
  const port = await fixture.serveHttp();
  await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
  const before = openFiles(fixture);
  const peers = await Promise.all(Array.from({ length: 200 }, () => Peer.connect(port)));
  for (const peer of peers.slice(100)) peer.say('G');
  await until(
    'all to be dropped',
    () => peers.every((peer) => peer.closed || peer.ended),
    PATIENCE,
  );
  // Deno opens a file or two of its own when it likes.
  await until('the sockets to be closed', () => openFiles(fixture) < before + 5);
  return (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).status;
}
