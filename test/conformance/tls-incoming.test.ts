import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import type { SecureVersion } from 'node:tls';
import { CLOSED } from './closed.ts';
import { killFixtures } from './harness.ts';
import { isPattern } from './pattern.ts';
import { Peer } from './peer.ts';
import { prepareTargets } from './targets.ts';
import { connectOpenssl, file, killClients, listening, PLENTY, tlsWith } from './tls-clients.ts';
import { until } from './until.ts';

/** A record of TLS that nobody has enciphered. */
const BAD_RECORD = Uint8Array.of(23, 3, 3, 0, 40, ...new Uint8Array(40).fill(7));
const VERSIONS: SecureVersion[] = ['TLSv1.2', 'TLSv1.3'];

setDefaultTimeout(30_000);

const targets = await prepareTargets();

afterEach(async () => {
  await killFixtures();
  await killClients();
});

describe.each(targets)('$name: who connects over TLS', (target) => {
  describe.each(VERSIONS)('%s', (version) => {
    test('sends every byte, and is sent every byte', async () => {
      const { fixture, port } = await listening(target);
      const option = version.replace('TLSv', '-tls').replace('.', '_');
      const child = connectOpenssl(port, `{ cat ${file}; sleep 10; }`, [option]);
      await until('all bytes', () => fixture.received === PLENTY);
      await fixture.do({ do: 'write', connection: 0, bytes: PLENTY });
      await fixture.do({ do: 'end', connection: 0 });
      await until('the answer', () => Bun.file(child.stdoutPath).size === PLENTY);
      expect(isPattern([await Bun.file(child.stdoutPath).bytes()])).toBe(true);
      expect(await fixture.seen('end')).toMatchObject([{ bytes: PLENTY, intact: true }]);
      expect(await fixture.seen('closed')).toEqual([CLOSED]);
    });

    test('is sent nothing but FIN after the handshake, if there is nothing to say', async () => {
      const { fixture, port } = await listening(target);
      const peer = await Peer.connect(port, { tls: tlsWith(undefined, version) });
      const before = peer.wire?.received;
      peer.send(1_000);
      await fixture.seen('data');
      await fixture.do({ do: 'end', connection: 0 });
      await until('the end', () => peer.ended);
      expect(peer.wire?.received).toBe(before as number);
      peer.end();
      expect(await fixture.seen('end')).toMatchObject([{ bytes: 1_000, intact: true }]);
      expect(await fixture.seen('closed')).toEqual([CLOSED]);
    });

    test('breaks off with what cannot be deciphered', async () => {
      const { fixture, port } = await listening(target);
      const peer = await Peer.connect(port, { tls: tlsWith(undefined, version) });
      await fixture.seen('accepted');
      peer.wire?.inject(BAD_RECORD);
      const [closed] = await fixture.seen('closed');
      expect(closed?.code).toMatch(/./);
      await fixture.expectNoMore();
      expect(fixture.all('end')).toEqual([]);
    });

    test('may bid farewell before his end, and after ours', async () => {
      const { fixture, port } = await listening(target, { endWithPeer: true });
      const peer = await Peer.connect(port, { tls: tlsWith(undefined, version) });
      peer.send(1_000);
      peer.end();
      expect(await fixture.seen('end')).toMatchObject([{ bytes: 1_000, intact: true }]);
      expect(await fixture.seen('closed')).toEqual([CLOSED]);
      await until('our end', () => peer.closed);
    });
  });

  test('takes no memory while nobody reads', async () => {
    const count = 30;
    const { fixture, port } = await listening(target, { pauseAtData: true });
    const peers = await Promise.all(
      Array.from({ length: count }, () => Peer.connect(port, { tls: {} })),
    );
    await fixture.seen('accepted', count);
    const before = fixture.memory;
    for (const peer of peers) peer.send(PLENTY);
    await fixture.seen('data', count);
    await Bun.sleep(300);
    await fixture.settle();
    const each = (fixture.memory - before) / count;
    expect(each).toBeLessThan(1 << 20);
    for (let i = 0; i < count; i++) await fixture.do({ do: 'resume', connection: i });
    await until('all bytes', () => fixture.received === count * PLENTY);
  });
});
