import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import type { SecureVersion } from 'node:tls';
import { tempDir } from '../support/temp.ts';
import { killFixtures } from './harness.ts';
import { Peer } from './peer.ts';
import { prepareTargets, type Target } from './targets.ts';
import {
  authority,
  client,
  connectOpenssl,
  deceiving,
  expectUnserved,
  expired,
  foreign,
  killClients,
  listening,
  second,
  server,
  tlsWith,
} from './tls-clients.ts';
import { until } from './until.ts';

const TLS_1_1 = ['-tls1_1', '-cipher', 'ALL@SECLEVEL=0'];
const VERSIONS: SecureVersion[] = ['TLSv1.2', 'TLSv1.3'];

setDefaultTimeout(30_000);

const targets = await prepareTargets();

afterEach(async () => {
  await killFixtures();
  await killClients();
});

/** Begun here, so that the other tests fill the time. */
const silent = await Promise.all(targets.map(connectSilently));

afterAll(async () => {
  for (const { fixture } of silent) await fixture.kill();
});

async function connectSilently(target: Target) {
  const { fixture, port } = await listening(target);
  fixture.outlive();
  return { fixture, peer: await Peer.connect(port) };
}

describe.each(targets)('$name: who connects over TLS', (target) => {
  describe.each(VERSIONS)('%s', (version) => {
    test('is served, with the names in his certificate', async () => {
      const { fixture, port } = await listening(target, {}, authority.certificate);
      await Peer.connect(port, { tls: tlsWith(client, version) });
      const [accepted] = await fixture.seen('accepted');
      const expected = ['client.example', '192.0.2.7', '2001:db8::7', 'urn:host:7', 'client'];
      expect(accepted?.names).toEqual(expected);
    });

    test.each([
      ['none', undefined, /^shows no certificate$/],
      ['a foreign one', foreign, /^its certificate: ./],
      ['an expired one', expired, /^its certificate: ./],
    ])('is not served with %s', async (_, certificate, message) => {
      const { fixture, port } = await listening(target, {}, authority.certificate);
      const connecting = Peer.connect(port, { tls: tlsWith(certificate, version) });
      const peer = await connecting.catch(() => undefined);
      await expectUnserved(fixture, 'certificate', message);
      await until('the end', () => peer?.closed ?? true);
    });

    test('may take up an earlier session', async () => {
      const { fixture, port } = await listening(target, {}, authority.certificate);
      const session = join(tempDir('session'), 'session');
      const own = ['-cert', client.path, '-key', client.keyPath];
      const options = [...own, version.replace('TLSv', '-tls').replace('.', '_')];
      const first = connectOpenssl(port, 'sleep 10', [...options, '-sess_out', session]);
      await fixture.seen('accepted');
      await fixture.do({ do: 'write', connection: 0, bytes: 10 });
      await until('the session', () => Bun.file(first.stdoutPath).size === 10);
      await fixture.do({ do: 'end', connection: 0 });
      connectOpenssl(port, 'sleep 10', [...options, '-sess_in', session]);
      const [before, after] = await fixture.seen('accepted', 2);
      expect(after?.names).toEqual(before?.names);
    });
  });

  test('has the names that are meant, not those that they look like', async () => {
    const { fixture, port } = await listening(target, {}, authority.certificate);
    await Peer.connect(port, { tls: tlsWith(deceiving) });
    const [accepted] = await fixture.seen('accepted');
    expect(accepted?.names).toEqual(['evil, DNS:admin', 'first', 'second']);
  });

  test.each([
    ['says something plain', '<13>hello\n', 'plain', /^does not speak TLS$/],
    ['says nothing and goes', '', 'gone', /^closed the connection during the handshake$/],
    ['begins as TLS does and goes', '\x16\x03\x01', 'gone', /^closed the connection/],
    ['says nonsense', `\x16\x03\x01\x00\x05${'x'.repeat(100)}`, 'other', /./],
  ])('who %s is not served', async (_, text, kind, message) => {
    const { fixture, port } = await listening(target);
    const peer = await Peer.connect(port);
    if (text) peer.say(text);
    if (kind === 'gone') peer.end();
    await expectUnserved(fixture, kind, message);
    await until('the end', () => peer.closed);
  });

  test('who speaks TLS 1.1 is not served', async () => {
    const { fixture, port } = await listening(target);
    connectOpenssl(port, 'sleep 10', TLS_1_1);
    await expectUnserved(fixture, 'other', /protocol|incompatible|version/i);
  });

  test('who resets during the handshake is gone', async () => {
    const { fixture, port } = await listening(target);
    const peer = await Peer.connect(port);
    await fixture.seen('admitted');
    peer.reset();
    await expectUnserved(fixture, 'gone', /^closed the connection during the handshake$/);
  });

  test('who is not admitted sees a reset', async () => {
    const { fixture, port } = await listening(target, { turnAway: true });
    await expect(Peer.connect(port, { tls: {} })).rejects.toThrow();
    await fixture.settle();
    const events = fixture.reports.map(({ event }) => event).filter((event) => event !== 'done');
    expect(events).toEqual(['admitted']);
  });

  test('may finish the handshake with a closed listener', async () => {
    const { fixture, port } = await listening(target);
    const peer = await Peer.connect(port);
    const other = await Peer.connect(port);
    await fixture.seen('admitted', 2);
    await fixture.do({ do: 'unlisten' });
    await expect(Peer.connect(port)).rejects.toThrow('ECONNREFUSED');
    await peer.secure({});
    peer.send(1_000);
    peer.end();
    other.end();
    expect(await fixture.seen('end')).toMatchObject([{ bytes: 1_000, intact: true }]);
    expect(await fixture.seen('unserved')).toMatchObject([{ kind: 'gone' }]);
  });

  describe('certificates', () => {
    const shown = async (port: number) => {
      const peer = await Peer.connect(port, { tls: {} });
      return peer.wire?.socket.getPeerCertificate().subject.CN;
    };

    test('another one is shown to those who connect later', async () => {
      const { fixture, port } = await listening(target);
      const earlier = await Peer.connect(port, { tls: {} });
      expect(await shown(port)).toBe('server');
      await fixture.do({ do: 'renew', tls: second });
      expect(await shown(port)).toBe('second');
      earlier.send(1_000);
      await until('the bytes', () => fixture.received === 1_000);
      await fixture.do({ do: 'renew', tls: { ...server, clientCa: authority.certificate } });
      await Peer.connect(port, { tls: tlsWith(client) });
      expect((await fixture.seen('accepted', 4))[3]?.names).toContain('client.example');
    });

    const ca = { ...server, clientCa: 'x' };
    test.each([
      ['no certificate', { ...server, certificate: 'x' }, /^the certificate can't be read: ./],
      ['no key', { ...server, key: 'x' }, /^the key can't be read: ./],
      ["another's key", { ...server, key: client.key }, /^the key is not the certificate's$/],
      ['no authority', ca, /^the clients' authority: no certificate in PEM$/],
    ])('%s is an error, and nothing changes', async (_, tls, message) => {
      const { fixture, port } = await listening(target);
      await expect(fixture.do({ do: 'renew', tls })).rejects.toThrow(message);
      expect(await shown(port)).toBe('server');
      await expect(fixture.listen({}, { tls })).rejects.toThrow(message);
    });
  });
});

test('who says nothing is dropped after ten seconds', async () => {
  for (const { fixture, peer } of silent) {
    await until('the end', () => peer.closed);
    await expectUnserved(fixture, 'silent', /^no handshake within 10 s$/);
  }
});
