import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { type ConnectedOptions, connected as connect, waysOf } from './connected.ts';
import { killFixtures } from './harness.ts';
import { prepareTargets } from './targets.ts';
import { until } from './until.ts';

setDefaultTimeout(30_000);

const ways = waysOf(await prepareTargets(), ['TCP', 'TLS 1.2', 'TLS 1.3', 'a unix socket']);

afterEach(killFixtures);

describe.each(ways)('$name: half-close over $transport', ({ target, transport }) => {
  const connected = (options?: ConnectedOptions) => connect(target, options, transport);

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
    // After TLS's farewell Bun can say nothing any more.
    if (transport.startsWith('TLS')) peer.cut();
    else peer.end();
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
