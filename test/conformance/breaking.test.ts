import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { type ConnectedOptions, connected as connect, listening, waysOf } from './connected.ts';
import { Fixture, killFixtures } from './harness.ts';
import { Peer } from './peer.ts';
import { prepareTargets } from './targets.ts';
import { until } from './until.ts';

/** More than the kernel's buffers on both sides take. */
const PLENTY = 48 << 20;

setDefaultTimeout(30_000);

const targets = await prepareTargets();

afterEach(killFixtures);

describe.each(waysOf(targets, ['TCP', 'TLS 1.3']))('$name: breaking over $transport', (way) => {
  const { target, transport } = way;
  const connected = (options?: ConnectedOptions) => connect(target, options, transport);

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
    await fixture.fill();
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
    if (waiting) await fixture.fill();
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
    const { fixture, connect } = await listening(target, transport, { atOnce: 'destroy' });
    // The reset may come before the peer knows that it is connected.
    await connect().catch(() => {});
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

describe.each(targets)('$name: a listener', (target) => {
  test('a closed listener keeps its connections and frees the port', async () => {
    const { fixture, where, peer } = await connect(target, { endWithPeer: true });
    const port = where as number;
    await fixture.do({ do: 'unlisten' });
    await expect(Peer.connect(port)).rejects.toThrow('ECONNREFUSED');
    const successor = await Fixture.start(target);
    expect(await successor.listen({}, { port })).toBe(port);
    peer.send(1_000);
    await fixture.seen('data');
    peer.end();
    expect(await fixture.seen('end')).toMatchObject([{ bytes: 1_000, intact: true }]);
    expect(await fixture.seen('closed')).toEqual([{ event: 'closed', connection: 0 }]);
  });

  test.each(['TCP', 'a unix socket'] as const)(
    'a closing listener lets in those who already wait (%s)',
    async (transport) => {
      const { fixture, connect } = await listening(target, transport, { endWithPeer: true });
      await fixture.freeze();
      fixture.tell({ do: 'unlisten' });
      const peers = await Promise.all(Array.from({ length: 20 }, () => connect()));
      for (const peer of peers) {
        peer.send(1_000);
        peer.end();
      }
      fixture.thaw();
      const ends = await fixture.seen('end', 20);
      expect(ends.every(({ bytes, intact }) => bytes === 1_000 && intact)).toBe(true);
    },
  );

  test('a port that is taken is an error with its code', async () => {
    const [first, second] = [await Fixture.start(target), await Fixture.start(target)];
    const port = await first.listen();
    await expect(first.listen({}, { port })).rejects.toThrow(/^EADDRINUSE$/);
    await expect(second.listen({}, { port })).rejects.toThrow(/^EADDRINUSE$/);
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

  test('who is not admitted sees a reset, and nothing comes of him', async () => {
    const { fixture, connect } = await listening(target, 'TCP', { turnAway: true });
    // The reset may come before the peer knows that it is connected.
    const peer = await connect().catch(() => undefined);
    await until('the reset', () => peer?.closed ?? true);
    expect(peer?.ended ?? false).toBe(false);
    await fixture.settle();
    const events = fixture.reports.map(({ event }) => event).filter((event) => event !== 'done');
    expect(events).toEqual(['admitted']);
  });
});
