import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions, SecureVersion } from 'node:tls';
import { type Certificate, makeAuthority, makeCertificate } from '../support/certificates.ts';
import { ensureDebian } from '../support/install.ts';
import { type Child, start } from '../support/process.ts';
import { tempDir } from '../support/temp.ts';
import { CLOSED } from './closed.ts';
import { Fixture, killFixtures } from './harness.ts';
import { makeDeceiving, makeExpired } from './odd-certificates.ts';
import { isPattern, pattern } from './pattern.ts';
import { Peer } from './peer.ts';
import type { Service } from './protocol.ts';
import { prepareTargets, type Target } from './targets.ts';
import { until } from './until.ts';

/** A record of TLS that nobody has enciphered. */
const BAD_RECORD = Uint8Array.of(23, 3, 3, 0, 40, ...new Uint8Array(40).fill(7));
const TLS_1_1 = ['-tls1_1', '-cipher', 'ALL@SECLEVEL=0'];
const VERSIONS: SecureVersion[] = ['TLSv1.2', 'TLSv1.3'];
const PLENTY = 4 << 20;

setDefaultTimeout(30_000);

const targets = await prepareTargets();
await ensureDebian(['openssl']);

const authority = await makeAuthority('authority');
const foreigner = await makeAuthority('foreigner');
const server = await makeCertificate('server', authority, 'IP:127.0.0.1');
const second = await makeCertificate('second', authority, 'IP:127.0.0.1');
const names = 'DNS:client.example,IP:192.0.2.7,IP:2001:db8::7,URI:urn:host:7,email:a@b.example';
const client = await makeCertificate('client', authority, names);
const foreign = await makeCertificate('foreign', foreigner, 'DNS:foreign');
const expired = await makeExpired(authority);
const deceiving = await makeDeceiving(authority);

const children: Child[] = [];

afterEach(async () => {
  await killFixtures();
  await Promise.all(children.splice(0).map((child) => child.kill()));
});

const file = join(tempDir('tls-incoming'), 'pattern');
writeFileSync(file, pattern(0, PLENTY));

/** What is shown to us, in one version or any. */
function tlsWith(certificate?: Certificate, version?: SecureVersion): ConnectionOptions {
  return {
    ...(certificate && { cert: certificate.certificate, key: certificate.key }),
    ...(version && { minVersion: version, maxVersion: version }),
  };
}

/** Connects with a program that is none of the runtimes, which sends what `input` prints. */
function connectOpenssl(port: number, input: string, options: string[] = []): Child {
  const command = ['openssl', 's_client', '-quiet', '-connect', `127.0.0.1:${port}`, ...options];
  const child = start('s_client', ['sh', '-c', `${input} | ${command.join(' ')}`]);
  children.push(child);
  return child;
}

async function listening(target: Target, service: Service = {}, clientCa?: string) {
  const fixture = await Fixture.start(target);
  const tls = { ...server, ...(clientCa && { clientCa }) };
  const port = await fixture.listen(service, { tls });
  return { fixture, port };
}

/** Nobody was served, for one reason, which is told once. */
async function expectUnserved(fixture: Fixture, kind: string, message: RegExp) {
  const [unserved] = await fixture.seen('unserved');
  expect(unserved?.message).toMatch(message);
  await fixture.settle();
  const [admitted] = fixture.all('admitted');
  expect(fixture.all('unserved')).toMatchObject([{ kind, peer: admitted?.peer }]);
  const events = fixture.reports.map(({ event }) => event).filter((event) => event !== 'done');
  expect(events).toEqual(['admitted', 'unserved']);
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

  test('takes no memory while nobody reads', async () => {
    const count = 60;
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

test('who says nothing is dropped after ten seconds', async () => {
  const fixtures = await Promise.all(targets.map((target) => listening(target)));
  const peers = await Promise.all(fixtures.map(({ port }) => Peer.connect(port)));
  await until('the ends', () => peers.every((peer) => peer.closed), 15_000);
  for (const { fixture } of fixtures) {
    await expectUnserved(fixture, 'silent', /^no handshake within 10 s$/);
  }
});
