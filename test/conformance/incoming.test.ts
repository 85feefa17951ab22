import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { type ConnectedOptions, connected as connect, listening, waysOf } from './connected.ts';
import { killFixtures } from './harness.ts';
import type { Service } from './protocol.ts';
import { prepareTargets } from './targets.ts';
import { until } from './until.ts';

/** More than the kernel's buffers on both sides take. */
const PLENTY = 32 << 20;

setDefaultTimeout(30_000);

const targets = await prepareTargets();

afterEach(killFixtures);

const ways = waysOf(targets, ['TCP', 'TLS 1.3', 'a unix socket']);

describe.each(ways)('$name: a connection over $transport', ({ target, transport }) => {
  const connected = (options?: ConnectedOptions) => connect(target, options, transport);

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
      const { fixture, where } = await connected();
      const [admitted] = await fixture.seen('admitted');
      const [accepted] = await fixture.seen('accepted');
      if (transport === 'a unix socket') expect(accepted?.peer).toBe(`unix:${where}`);
      else expect(accepted?.peer).toMatch(/^127\.0\.0\.1:\d+$/);
      expect(admitted?.peer).toBe(accepted?.peer);
      expect(accepted).not.toHaveProperty('names');
      expect(fixture.all('admitted').length).toBe(1);
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
      const { fixture, connect } = await listening(target, transport, { endWithPeer: true });
      const peers = await Promise.all(Array.from({ length: 500 }, () => connect()));
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
      await fixture.fill();
      const { length } = fixture.all('drained');
      peer.resume();
      await fixture.seen('drained', length + 1);
      const bytes = fixture.all('written').at(-1)?.bytes;
      await until('all bytes', () => peer.received === bytes);
      expect(peer.intact).toBe(true);
    });

    test('an end waits for all that was written', async () => {
      const { fixture, peer } = await connected({ peerPaused: true });
      await fixture.do({ do: 'write', connection: 0, bytes: PLENTY });
      await fixture.do({ do: 'end', connection: 0 });
      await fixture.settle();
      peer.resume();
      await until('the end', () => peer.ended && peer.received === PLENTY);
      expect(peer.intact).toBe(true);
      expect(fixture.all('closed')).toEqual([]);
      peer.end();
      expect(await fixture.seen('closed')).toEqual([{ event: 'closed', connection: 0 }]);
    });
  });
});
