import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { type ConnectedOptions, connected as connect } from './connected.ts';
import { Fixture, killFixtures } from './harness.ts';
import { Peer } from './peer.ts';
import type { Service } from './protocol.ts';
import { prepareTargets } from './targets.ts';
import { until } from './until.ts';

/** More than the kernel's buffers on both sides take. */
const PLENTY = 48 << 20;

setDefaultTimeout(30_000);

const targets = await prepareTargets();

afterEach(killFixtures);

describe.each(targets)('$name: a connection that we accept', (target) => {
  const connected = (options?: ConnectedOptions) => connect(target, options);

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

    test.each([{ atOnce: 'pause' }, { pauseAtData: true }] satisfies Service[])(
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
      const { fixture, peer } = await connected({ atOnce: 'end' });
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
        const { fixture, peer } = await connected({ atOnce: 'pause' });
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
});
