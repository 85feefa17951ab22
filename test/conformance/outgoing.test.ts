import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import type { Socket } from 'node:net';
import { freePort } from '../support/ports.ts';
import { CLOSED, expectNothingLeft } from './closed.ts';
import { Fixture, killFixtures } from './harness.ts';
import { isPattern, pattern } from './pattern.ts';
import { serveTcp, stopServers } from './servers.ts';
import { prepareTargets } from './targets.ts';
import { until } from './until.ts';

const HOST = '127.0.0.1';
/** More than the kernel's buffers on both sides take. */
const PLENTY = 48 << 20;

setDefaultTimeout(30_000);

const targets = await prepareTargets();
const unused = await freePort();
const echo = await serveTcp((socket) => socket.pipe(socket));

afterEach(killFixtures);
afterAll(stopServers);

describe.each(targets)('$name: a connection that we open', (target) => {
  test('is opened, and carries every byte both ways', async () => {
    const fixture = await Fixture.start(target);
    await fixture.open({ port: echo });
    await fixture.seen('opened');
    await fixture.do({ do: 'write', connection: 0, bytes: PLENTY });
    await fixture.do({ do: 'end', connection: 0 });
    expect(await fixture.seen('end')).toMatchObject([{ bytes: PLENTY, intact: true }]);
    expect(await fixture.seen('closed')).toEqual([CLOSED]);
    expect(fixture.all('opened').length).toBe(1);
  });

  test('takes what is written, and an end, while it is opening', async () => {
    const fixture = await Fixture.start(target);
    fixture.tellOpen({ port: echo });
    fixture.tell({ do: 'write', connection: 0, bytes: 10_000 });
    await fixture.do({ do: 'end', connection: 0 });
    expect(await fixture.seen('end')).toMatchObject([{ bytes: 10_000, intact: true }]);
    expect(await fixture.seen('closed')).toEqual([CLOSED]);
  });

  test('tells of the end of a peer that ends first', async () => {
    const port = await serveTcp((socket) => socket.end(pattern(0, 1_000)));
    const fixture = await Fixture.start(target);
    await fixture.open({ port, service: { endWithPeer: true } });
    expect(await fixture.seen('end')).toMatchObject([{ bytes: 1_000, intact: true }]);
    expect(await fixture.seen('closed')).toEqual([CLOSED]);
    expect(fixture.all('opened').length).toBe(1);
  });

  test('goes to a host by its name', async () => {
    const fixture = await Fixture.start(target);
    await fixture.open({ host: 'localhost', port: echo });
    await fixture.seen('opened');
  });

  test('pauses, and is refused writes while the peer is slow', async () => {
    const sockets: Socket[] = [];
    const port = await serveTcp((socket) => sockets.push(socket.pause()));
    const fixture = await Fixture.start(target);
    await fixture.open({ port, service: { atOnce: 'pause' } });
    await fixture.seen('opened');
    const [peer] = await until('the peer', () => sockets.length === 1 && sockets);
    peer?.end(pattern(0, 1 << 20));
    await fixture.do({ do: 'fill', connection: 0 });
    await fixture.settle();
    expect(fixture.all('drained')).toEqual([]);
    expect(fixture.all('end')).toEqual([]);
    const chunks: Uint8Array[] = [];
    peer?.on('data', (chunk) => chunks.push(chunk)).resume();
    await fixture.seen('drained');
    await fixture.do({ do: 'resume', connection: 0 });
    expect(await fixture.seen('end')).toMatchObject([{ bytes: 1 << 20, intact: true }]);
    expect(isPattern(chunks)).toBe(true);
  });

  test.each([
    ['a port that nobody listens on', { host: HOST, port: unused }, /^ECONNREFUSED$/],
    ['the same by name', { host: 'localhost', port: unused }, /^ECONNREFUSED$/],
    [
      'a host that is not known',
      { host: 'no-such-host.invalid', port: 1 },
      /^(ENOTFOUND|EAI_AGAIN)$/,
    ],
  ])('%s is an error, told once', async (_, address, code) => {
    const fixture = await Fixture.start(target);
    await fixture.open(address);
    await fixture.expectRefused(code);
  });

  test('a reset by the peer is an error, told once', async () => {
    const port = await serveTcp((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const fixture = await Fixture.start(target);
    await fixture.open({ port });
    await fixture.do({ do: 'write', connection: 0, bytes: 1_000 });
    expect((await fixture.seen('closed'))[0]?.code).toMatch(/^(ECONNRESET|EPIPE)$/);
    await fixture.expectNoMore();
    expect(fixture.all('end')).toEqual([]);
  });

  test.each([false, true])(
    'destroyed while open (bytes waiting: %p), it is reset',
    async (waiting) => {
      const seen: string[] = [];
      const sockets: Socket[] = [];
      const port = await serveTcp((socket) => {
        sockets.push(socket);
        if (waiting) socket.pause();
        for (const event of ['end', 'close']) socket.on(event, () => seen.push(event));
      });
      const fixture = await Fixture.start(target);
      await fixture.open({ port });
      await fixture.seen('opened');
      if (waiting) await fixture.do({ do: 'fill', connection: 0 });
      await fixture.do({ do: 'destroy', connection: 0 });
      expect(await fixture.seen('closed')).toEqual([CLOSED]);
      for (const socket of sockets) socket.resume();
      await until('the close at the peer', () => seen.includes('close'));
      expect(seen).toEqual(['close']);
      await fixture.expectNoMore();
      expect(fixture.all('end')).toEqual([]);
    },
  );

  test.each([
    ['within opened', { service: { atOnce: 'destroy' } }, 1],
    ['while opening', { destroy: true }, 0],
  ] as const)(
    'destroyed %s, it closes without an error, and nothing is left',
    async (_, options, opened) => {
      const fixture = await Fixture.start(target);
      await fixture.open({ port: echo, ...options });
      await expectNothingLeft(fixture, opened);
    },
  );

  test('the socket factory for kafkajs connects', async () => {
    const fixture = await Fixture.start(target);
    const chunks: Uint8Array[] = [];
    let ended = false;
    const port = await serveTcp((socket) => {
      socket.on('data', (bytes) => chunks.push(bytes));
      socket.on('end', () => {
        ended = true;
      });
    });
    await fixture.do({ do: 'connectForKafka', address: { host: '127.0.0.1', port } });
    await fixture.seen('connected');
    await until('the end', () => ended);
    expect(chunks.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(65_536);
    expect(isPattern(chunks)).toBe(true);
  });
});
