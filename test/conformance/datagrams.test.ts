import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { run } from '../support/command.ts';
import { ensureDebian } from '../support/install.ts';
import { Fixture, killFixtures } from './harness.ts';
import { pattern } from './pattern.ts';
import { killPrograms, runProgram } from './programs.ts';
import { prepareTargets, type Target } from './targets.ts';
import { until } from './until.ts';

const HOST = '127.0.0.1';
const BUFFER_BYTES = 1 << 18;
const MOST_BYTES = 65_507;

setDefaultTimeout(30_000);

const targets = await prepareTargets();
await ensureDebian(['socat', 'logger']);

afterEach(async () => {
  await killFixtures();
  await killPrograms();
});

/** Sends datagrams one after the other. */
async function send(port: number, datagrams: (Uint8Array | string)[], host = HOST): Promise<void> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  for (const datagram of datagrams) {
    await new Promise<void>((resolve, reject) => {
      socket.send(datagram, port, host, (error) => (error ? reject(error) : resolve()));
    });
  }
  socket.close();
}

/** Sends for as long as the test lasts, as fast as it goes. */
function flood(port: number): void {
  const command = ['socat', '-u', '-b', '100', 'FILE:/dev/zero', `UDP4-SENDTO:${HOST}:${port}`];
  runProgram('flood', command);
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `number ${i}`);

async function receiving(target: Target, options: { host?: string; busyMs?: number } = {}) {
  const fixture = await Fixture.start(target);
  return { fixture, port: await receiveAt(fixture, options) };
}

interface ReceiveOptions {
  host?: string;
  port?: number;
  busyMs?: number;
}

async function receiveAt(fixture: Fixture, options: ReceiveOptions = {}): Promise<number> {
  const { host = HOST, port = 0, busyMs = 0 } = options;
  const address = { host, port };
  const answer = await fixture.do({
    do: 'receive',
    address,
    bufferBytes: BUFFER_BYTES,
    busyMs,
  });
  return answer.port as number;
}

/** What the fixture has been handed, once these are `count` datagrams. */
async function handed(fixture: Fixture, count: number) {
  await fixture.seen('received', count);
  await fixture.do({ do: 'tellDatagrams' });
  const datagrams = await fixture.seen('datagram', count);
  expect(datagrams.length).toBe(count);
  return datagrams;
}

/** How many bytes of its buffer a socket at this port has in use. */
function queuedBytes(port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = readFileSync('/proc/net/udp', 'utf8').split('\n');
  const columns = lines.map((line) => line.trim().split(/\s+/));
  const [, , , , queues] = columns.find(([, address]) => address?.endsWith(local)) ?? [];
  return Number.parseInt(queues?.split(':')[1] ?? '', 16);
}

describe.each(targets)('$name: UDP', (target) => {
  const isDeno = target.name === 'deno';

  test('datagrams of every size are handed out whole, to keep', async () => {
    const { fixture, port } = await receiving(target);
    const sizes = [1, 1_472, 0, MOST_BYTES, 100];
    for (const [i, size] of sizes.entries()) {
      await send(port, [pattern(0, size)]);
      await fixture.seen('received', i + 1);
    }
    const datagrams = await handed(fixture, sizes.length);
    expect(datagrams.map(({ bytes }) => bytes)).toEqual(sizes);
    expect(datagrams.every(({ intact }) => intact)).toBe(true);
    expect(datagrams.map(({ memory }) => memory)).toEqual(sizes);
  });

  test('they come in their order', async () => {
    const { fixture, port } = await receiving(target);
    const texts = numbered(1_000);
    for (let i = 0; i < texts.length; i += 100) {
      await send(port, texts.slice(i, i + 100));
      await fixture.seen('received', i + 100);
    }
    expect((await handed(fixture, texts.length)).map(({ text }) => text as string)).toEqual(texts);
  });

  test('logger is heard', async () => {
    const { fixture, port } = await receiving(target);
    await run(['logger', '--udp', '--server', HOST, '--port', `${port}`, 'over UDP']);
    expect((await handed(fixture, 1))[0]?.text).toEndWith('over UDP');
  });

  const interfaces = Object.values(networkInterfaces()).flat();
  const hasIPv6 = interfaces.some((each) => each?.address === '::1');
  testWhere(hasIPv6, 'IPv6', async () => {
    const { fixture, port } = await receiving(target, { host: '::1' });
    await send(port, ['over IPv6'], '::1');
    expect((await handed(fixture, 1))[0]?.text).toBe('over IPv6');
    const any = await receiving(target, { host: '::' });
    await send(any.port, ['over IPv6'], '::1');
    await send(any.port, ['over IPv4']);
    const texts = (await handed(any.fixture, 2)).map(({ text }) => text as string);
    expect(texts).toEqual(['over IPv6', 'over IPv4']);
  });

  test('a port that is taken is an error with its code', async () => {
    const first = await receiving(target);
    const second = await Fixture.start(target);
    for (const fixture of [first.fixture, second]) {
      await expect(receiveAt(fixture, { port: first.port })).rejects.toThrow(/^EADDRINUSE$/);
    }
    await send(first.port, ['to the first']);
    await first.fixture.seen('received');
  });

  test('an address that is not ours is an error with its code', async () => {
    const fixture = await Fixture.start(target);
    await expect(receiveAt(fixture, { host: '192.0.2.1' })).rejects.toThrow(/^EADDRNOTAVAIL$/);
  });

  test('what waits is handed out before the close, nothing after it', async () => {
    const { fixture, port } = await receiving(target);
    await fixture.freeze();
    await send(port, numbered(100));
    const closed = fixture.do({ do: 'closeReceiver' });
    fixture.thaw();
    await closed;
    expect(fixture.all('received').length).toBe(100);
    const successor = await Fixture.start(target);
    expect(await receiveAt(successor, { port })).toBe(port);
    await send(port, ['to the successor']);
    await successor.seen('received');
    await fixture.settle();
    expect(fixture.all('received').length).toBe(100);
    fixture.tell({ do: 'detach' });
    expect(await fixture.exited()).toBe(0);
  });

  test('a flood leaves room for others, and can be closed', async () => {
    const { fixture, port } = await receiving(target, { busyMs: 0.1 });
    flood(port);
    await until('the flood', () => queuedBytes(port) > 0);
    await fixture.settle();
    await fixture.do({ do: 'closeReceiver' });
  });

  testWhere(!isDeno, 'the kernel keeps as much as asked for', async () => {
    for (const asked of [1 << 14, 1 << 16]) {
      const fixture = await Fixture.start(target);
      const address = { host: HOST, port: 0 };
      const answer = await fixture.do({ do: 'receive', address, bufferBytes: asked });
      expect(answer.bufferBytes).toBe(asked);
      await fixture.freeze();
      const port = answer.port as number;
      await send(port, Array(200).fill(pattern(0, 1_000)));
      // Twice that, and it takes what comes until that is passed.
      expect(queuedBytes(port)).toBeGreaterThan(1.5 * asked);
      expect(queuedBytes(port)).toBeLessThan(2.5 * asked);
    }
  });

  const isBun = target.name === 'bun' || target.name === 'compiled';
  testWhere(isBun, 'paused, it leaves them to the kernel', async () => {
    const { fixture, port } = await receiving(target);
    await fixture.do({ do: 'pauseReceiver' });
    await send(port, numbered(20));
    await fixture.settle();
    expect(fixture.all('received')).toEqual([]);
    await fixture.do({ do: 'resumeReceiver' });
    const texts = (await handed(fixture, 20)).map(({ text }) => text as string);
    expect(texts).toEqual(numbered(20));
    await fixture.do({ do: 'pauseReceiver' });
    await send(port, numbered(20));
    await fixture.do({ do: 'closeReceiver' });
    expect(fixture.all('received').length).toBe(40);
  });
});

/** A test of what not every runtime or machine can do. */
function testWhere(isPossible: boolean, name: string, run: () => Promise<void>): void {
  if (isPossible) test(name, run);
}
