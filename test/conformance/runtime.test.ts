import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { createServer } from 'node:net';
import type { Signal } from '../../src/runtime/runtime.ts';
import type { Service } from './fixture.ts';
import { Fixture, killFixtures, Peer, until } from './harness.ts';
import { isPattern } from './pattern.ts';
import { prepareTargets } from './targets.ts';

/** More than the kernel's buffers on both sides take. */
const PLENTY = 48 << 20;

setDefaultTimeout(30_000);

const targets = await prepareTargets();

afterEach(killFixtures);

describe.each(targets)('$name', (target) => {
  /** A fixture that listens, and one connection to it. */
  async function connected(
    options: Parameters<Fixture['listen']>[0] & { peerPaused?: boolean } = {},
  ) {
    const fixture = await Fixture.start(target);
    const port = await fixture.listen(options);
    const peer = await Peer.connect(port, { paused: options.peerPaused ?? false });
    await fixture.seen('accepted');
    return { fixture, port, peer };
  }

  test('knows its runtime', async () => {
    const fixture = await Fixture.start(target);
    const name = target.name === 'compiled' ? 'bun' : target.name;
    expect((await fixture.do({ do: 'ping' })).runtime).toMatch(new RegExp(`^${name} \\d+\\.\\d+`));
  });

  describe('reading', () => {
    test('hands over every byte in order, and nobody overwrites it', async () => {
      const { fixture, peer } = await connected({ endWithPeer: true });
      peer.send(4 << 20);
      peer.end();
      expect(await fixture.seen('end')).toMatchObject([{ bytes: 4 << 20, intact: true }]);
      expect(await fixture.seen('closed')).toEqual([{ event: 'closed', connection: 0 }]);
      await until('the end at the peer', () => peer.closed);
    });

    test('what is released takes nothing else along', async () => {
      const { fixture, peer } = await connected({ endWithPeer: true, releaseData: true });
      peer.send(4 << 20);
      peer.end();
      expect(await fixture.seen('end')).toMatchObject([{ bytes: 4 << 20, intact: true }]);
    });

    test('names the peer', async () => {
      const { fixture } = await connected();
      expect((await fixture.seen('accepted'))[0]?.peer).toMatch(/^127\.0\.0\.1:\d+$/);
    });

    test.each([{ atAccept: 'pause' }, { pauseAtData: true }] satisfies Service[])(
      'a pause blocks the sender and loses nothing: %p',
      async (service) => {
        const { fixture, peer } = await connected(service);
        const chunks = service.pauseAtData ? 1 : 0;
        peer.send(PLENTY);
        peer.end();
        await fixture.seen('data', chunks);
        await fixture.settle();
        await Bun.sleep(100);
        await fixture.settle();
        expect(fixture.all('data').length).toBe(chunks);
        expect(peer.flushed).toBe(false);
        await fixture.do({ do: 'resume', connection: 0 });
        expect(await fixture.seen('end')).toMatchObject([{ bytes: PLENTY, intact: true }]);
      },
    );

    test('pauses and resumes in the midst of a stream', async () => {
      const { fixture, peer } = await connected();
      peer.send(PLENTY);
      peer.end();
      for (let i = 0; i < 5; i++) {
        await fixture.do({ do: 'pause', connection: 0 });
        const { received } = fixture;
        await fixture.settle();
        expect(fixture.received).toBe(received);
        await fixture.do({ do: 'resume', connection: 0 });
      }
      expect(await fixture.seen('end')).toMatchObject([{ bytes: PLENTY, intact: true }]);
    });

    test('500 connections at once', async () => {
      const fixture = await Fixture.start(target);
      const port = await fixture.listen({ endWithPeer: true });
      const peers = await Promise.all(Array.from({ length: 500 }, () => Peer.connect(port)));
      for (const peer of peers) peer.send(2_000);
      await until('all bytes', () => fixture.received === 500 * 2_000);
      for (const peer of peers) peer.end();
      const ends = await fixture.seen('end', 500);
      expect(ends.every(({ bytes, intact }) => bytes === 2_000 && intact)).toBe(true);
      expect(new Set((await fixture.seen('closed', 500)).map((e) => e.connection)).size).toBe(500);
      await until('all ends', () => peers.every((peer) => peer.closed));
      expect(fixture.all('closed').filter(({ code }) => code !== undefined)).toEqual([]);
    });
  });

  describe('writing', () => {
    test('is refused while the peer is slow, then drains, and all arrives', async () => {
      const { fixture, peer } = await connected({ peerPaused: true });
      await fixture.do({ do: 'fill', connection: 0 });
      await fixture.settle();
      expect(fixture.all('drained')).toEqual([]);
      const bytes = (await fixture.seen('written'))[0]?.bytes;
      peer.resume();
      await fixture.seen('drained');
      await until('all bytes', () => peer.received === bytes);
      expect(peer.intact).toBe(true);
    });

    test('an end waits for all that was written', async () => {
      const { fixture, peer } = await connected({ peerPaused: true });
      await fixture.do({ do: 'write', connection: 0, bytes: PLENTY });
      await fixture.do({ do: 'end', connection: 0 });
      await fixture.settle();
      peer.resume();
      await until('the end', () => peer.ended);
      expect(peer.received).toBe(PLENTY);
      expect(peer.intact).toBe(true);
      expect(fixture.all('closed')).toEqual([]);
      peer.end();
      expect(await fixture.seen('closed')).toEqual([{ event: 'closed', connection: 0 }]);
    });
  });

  describe('half-close', () => {
    test('we end first and read on to the end of the peer', async () => {
      const { fixture, peer } = await connected();
      peer.send(10);
      await fixture.seen('data');
      await fixture.do({ do: 'end', connection: 0 });
      await until('our end', () => peer.ended);
      peer.send(4 << 20);
      await until('all bytes', () => fixture.received === 10 + (4 << 20));
      expect(fixture.all('closed')).toEqual([]);
      peer.end();
      expect(await fixture.seen('end')).toMatchObject([{ bytes: 10 + (4 << 20), intact: true }]);
      await fixture.seen('closed');
      await fixture.settle();
      expect(fixture.all('closed')).toEqual([{ event: 'closed', connection: 0 }]);
    });

    test('the peer ends first and gets our answer', async () => {
      const { fixture, peer } = await connected();
      peer.send(1_000);
      peer.end();
      await fixture.seen('end');
      await fixture.settle();
      expect(fixture.all('closed')).toEqual([]);
      expect(peer.ended).toBe(false);
      await fixture.do({ do: 'write', connection: 0, bytes: 1_000 });
      await until('the answer', () => peer.received === 1_000);
      expect(peer.intact).toBe(true);
      await fixture.do({ do: 'end', connection: 0 });
      await until('the end', () => peer.ended);
      await fixture.seen('closed');
      await fixture.settle();
      expect(fixture.all('end').length).toBe(1);
      expect(fixture.all('closed')).toEqual([{ event: 'closed', connection: 0 }]);
    });

    test('we end within accept and read on', async () => {
      const { fixture, peer } = await connected({ atAccept: 'end' });
      await until('our end', () => peer.ended);
      peer.send(1 << 20);
      peer.end();
      expect(await fixture.seen('end')).toMatchObject([{ bytes: 1 << 20, intact: true }]);
      expect(await fixture.seen('closed')).toEqual([{ event: 'closed', connection: 0 }]);
    });

    // Fewer bytes than the kernel's buffers hold, so that both ends are there already, and more.
    test.each([10_000, 4 << 20])(
      'an end while paused reads on after the resume (%d bytes)',
      async (bytes) => {
        const { fixture, peer } = await connected({ atAccept: 'pause' });
        peer.send(bytes);
        peer.end();
        await fixture.do({ do: 'end', connection: 0 });
        await until('our end', () => peer.ended);
        await fixture.settle();
        expect(fixture.all('closed')).toEqual([]);
        await fixture.do({ do: 'resume', connection: 0 });
        expect(await fixture.seen('end')).toMatchObject([{ bytes, intact: true }]);
        expect(await fixture.seen('closed')).toEqual([{ event: 'closed', connection: 0 }]);
      },
    );
  });

  describe('breaking', () => {
    async function expectBroken(fixture: Fixture) {
      const [closed] = await fixture.seen('closed');
      expect(closed?.code).toMatch(/^(ECONNRESET|EPIPE)$/);
      await fixture.do({ do: 'useAll', connection: 0 });
      await fixture.settle();
      expect(fixture.all('closed').length).toBe(1);
      expect(fixture.all('end')).toEqual([]);
    }

    test('a reset by the peer is an error, told once', async () => {
      const { fixture, peer } = await connected();
      peer.send(1_000);
      await fixture.seen('data');
      peer.reset();
      await expectBroken(fixture);
    });

    test('a reset while bytes wait to be sent', async () => {
      const { fixture, peer } = await connected({ peerPaused: true });
      await fixture.do({ do: 'fill', connection: 0 });
      peer.reset();
      await expectBroken(fixture);
    });

    test('a reset while paused closes once, though it may look like an end', async () => {
      const { fixture, peer } = await connected({ pauseAtData: true, endWithPeer: true });
      peer.send(PLENTY);
      await fixture.seen('data');
      peer.reset();
      await fixture.settle();
      await fixture.do({ do: 'resume', connection: 0 });
      await fixture.seen('closed');
      await fixture.do({ do: 'useAll', connection: 0 });
      await fixture.settle();
      expect(fixture.all('closed').length).toBe(1);
    });

    test('a reset after our end', async () => {
      const { fixture, peer } = await connected();
      await fixture.do({ do: 'end', connection: 0 });
      await until('our end', () => peer.ended);
      peer.reset();
      await expectBroken(fixture);
    });

    test.each([false, true])('destroy drops it at once (bytes waiting: %p)', async (waiting) => {
      const { fixture, peer } = await connected({ peerPaused: waiting });
      if (waiting) await fixture.do({ do: 'fill', connection: 0 });
      await fixture.do({ do: 'destroy', connection: 0 });
      expect(await fixture.seen('closed')).toEqual([{ event: 'closed', connection: 0 }]);
      peer.resume();
      await until('the reset at the peer', () => peer.closed && !peer.ended);
      await fixture.do({ do: 'useAll', connection: 0 });
      await fixture.settle();
      expect(fixture.all('closed').length).toBe(1);
      expect(fixture.all('end')).toEqual([]);
    });

    test('destroy within accept', async () => {
      const fixture = await Fixture.start(target);
      const port = await fixture.listen({ atAccept: 'destroy' });
      // The reset may come before the peer knows that it is connected.
      await Peer.connect(port).catch(() => {});
      expect(await fixture.seen('closed')).toEqual([{ event: 'closed', connection: 0 }]);
      await fixture.settle();
      expect(fixture.all('closed').length).toBe(1);
      expect(fixture.all('end')).toEqual([]);
    });

    test('every call after the close does nothing', async () => {
      const { fixture, peer } = await connected({ endWithPeer: true });
      peer.end();
      await fixture.seen('closed');
      const before = fixture.reports.filter(({ event }) => event !== 'done').length;
      await fixture.do({ do: 'useAll', connection: 0 });
      await fixture.settle();
      expect(fixture.reports.filter(({ event }) => event !== 'done').length).toBe(before);
    });

    test('a write after our end does nothing', async () => {
      const { fixture, peer } = await connected();
      await fixture.do({ do: 'end', connection: 0 });
      await fixture.do({ do: 'write', connection: 0, bytes: 1_000 });
      await fixture.do({ do: 'end', connection: 0 });
      await until('our end', () => peer.ended);
      peer.send(1_000);
      peer.end();
      expect(await fixture.seen('end')).toMatchObject([{ bytes: 1_000, intact: true }]);
      expect(await fixture.seen('closed')).toEqual([{ event: 'closed', connection: 0 }]);
      expect(peer.received).toBe(0);
    });
  });

  describe('listening', () => {
    test('a closed listener keeps its connections and frees the port', async () => {
      const { fixture, port, peer } = await connected({ endWithPeer: true });
      await fixture.do({ do: 'unlisten' });
      await expect(Peer.connect(port)).rejects.toThrow('ECONNREFUSED');
      const successor = await Fixture.start(target);
      expect(await successor.listen({ port })).toBe(port);
      peer.send(1_000);
      await fixture.seen('data');
      peer.end();
      expect(await fixture.seen('end')).toMatchObject([{ bytes: 1_000, intact: true }]);
      expect(await fixture.seen('closed')).toEqual([{ event: 'closed', connection: 0 }]);
    });

    test('a closing listener lets in those who already wait', async () => {
      const fixture = await Fixture.start(target);
      const port = await fixture.listen({ endWithPeer: true });
      await fixture.freeze();
      fixture.tell({ do: 'unlisten' });
      const peers = await Promise.all(Array.from({ length: 20 }, () => Peer.connect(port)));
      for (const peer of peers) {
        peer.send(1_000);
        peer.end();
      }
      fixture.thaw();
      const ends = await fixture.seen('end', 20);
      expect(ends.every(({ bytes, intact }) => bytes === 1_000 && intact)).toBe(true);
    });

    test('a port that is taken is an error with its code', async () => {
      const [first, second] = [await Fixture.start(target), await Fixture.start(target)];
      const port = await first.listen();
      await expect(first.listen({ port })).rejects.toThrow(/^EADDRINUSE$/);
      await expect(second.listen({ port })).rejects.toThrow(/^EADDRINUSE$/);
      await second.settle();
      await second.listen();
    });

    test('an address that is not ours is an error with its code', async () => {
      const fixture = await Fixture.start(target);
      const address = { host: '192.0.2.1', port: 0 };
      const listen = { do: 'listen', address, service: {} } as const;
      await expect(fixture.do(listen)).rejects.toThrow(/^E[A-Z]+$/);
      await fixture.settle();
    });
  });

  test('the socket factory for kafkajs connects', async () => {
    const fixture = await Fixture.start(target);
    const chunks: Uint8Array[] = [];
    let ended = false;
    const server = createServer((socket) => {
      socket.on('data', (bytes) => chunks.push(bytes));
      socket.on('end', () => {
        ended = true;
      });
    });
    await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
    const { port } = server.address() as { port: number };
    await fixture.do({ do: 'connect', address: { host: '127.0.0.1', port } });
    await fixture.seen('connected');
    await until('the end', () => ended);
    expect(chunks.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(65_536);
    expect(isPattern(chunks)).toBe(true);
    server.close();
  });

  describe('the process', () => {
    test.each(['SIGTERM', 'SIGINT', 'SIGUSR1'] satisfies Signal[])(
      '%s arrives, each time',
      async (signal) => {
        const fixture = await Fixture.start(target);
        await fixture.do({ do: 'signal', signal });
        await fixture.do({ do: 'churn' });
        for (let count = 1; count <= 50; count++) {
          fixture.signal(signal);
          expect((await fixture.seen('signal', count)).at(-1)).toEqual({ event: 'signal', signal });
        }
        await fixture.settle();
        expect(fixture.all('signal').length).toBe(50);
      },
    );

    test.each(['SIGTERM', 'SIGINT'] satisfies Signal[])(
      'paused connections keep it alive, and %s arrives',
      async (signal) => {
        const { fixture, peer } = await connected({ pauseAtData: true });
        peer.send(PLENTY);
        await fixture.seen('data');
        await fixture.do({ do: 'signal', signal, exit: 42 });
        await fixture.do({ do: 'unlisten' });
        fixture.tell({ do: 'detach' });
        await Bun.sleep(300);
        expect(fixture.alive).toBe(true);
        fixture.signal(signal);
        expect(await fixture.exited()).toBe(42);
      },
    );

    test('it ends by itself once nothing is open', async () => {
      const { fixture, peer } = await connected({ pauseAtData: true, endWithPeer: true });
      peer.send(1_000);
      await fixture.seen('data');
      await fixture.do({ do: 'unlisten' });
      peer.end();
      await fixture.do({ do: 'resume', connection: 0 });
      await fixture.seen('closed');
      fixture.tell({ do: 'detach' });
      expect(await fixture.exited()).toBe(0);
    });

    test('afterInput comes after all the input that was ready', async () => {
      const fixture = await Fixture.start(target);
      const port = await fixture.listen();
      const peers = await Promise.all(Array.from({ length: 20 }, () => Peer.connect(port)));
      await fixture.seen('accepted', 20);
      await fixture.do({ do: 'afterInput' });
      await fixture.freeze();
      for (const peer of peers) peer.send(100);
      await until('the kernel to have it', () => peers.every((peer) => peer.flushed));
      fixture.thaw();
      expect(await fixture.seen('afterInput')).toEqual([{ event: 'afterInput', chunks: 20 }]);
    });
  });

  describe('standard output', () => {
    const TOTAL = 4 << 20;
    const WRITE = { do: 'stdout', bytes: TOTAL, chunk: 1 << 18 } as const;

    /** Reads until everything is there. */
    async function readAll(fixture: Fixture): Promise<Uint8Array[]> {
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      await until('all output', () => {
        const chunk = fixture.readStdout();
        chunks.push(chunk);
        bytes += chunk.length;
        return bytes === TOTAL;
      });
      return chunks;
    }

    test('a slow reader holds the writer, not the process', async () => {
      const fixture = await Fixture.start(target);
      await fixture.do({ do: 'signal', signal: 'SIGTERM' });
      fixture.tell(WRITE);
      await fixture.settle();
      await Bun.sleep(50);
      fixture.signal('SIGTERM');
      await fixture.seen('signal');
      expect(fixture.all('written')).toEqual([]);
      expect(isPattern(await readAll(fixture))).toBe(true);
      await fixture.seen('written', TOTAL / WRITE.chunk);
    });

    test('a file', async () => {
      const fixture = await Fixture.start(target, 'file');
      await fixture.do(WRITE);
      expect(isPattern(await readAll(fixture))).toBe(true);
    });

    test('a reader that is gone is EPIPE, each time', async () => {
      const fixture = await Fixture.start(target);
      fixture.closeStdout();
      await expect(fixture.do(WRITE)).rejects.toThrow(/^EPIPE$/);
      await fixture.settle();
      await expect(fixture.do(WRITE)).rejects.toThrow(/^EPIPE$/);
      await fixture.settle();
    });
  });
});
