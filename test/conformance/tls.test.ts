import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { makeAuthority, makeCertificate } from '../support/certificates.ts';
import { ensureDebian } from '../support/install.ts';
import { CLOSED, expectNothingLeft } from './closed.ts';
import { Fixture, killFixtures } from './harness.ts';
import { serveTcp, serveTls, stopServers } from './servers.ts';
import { prepareTargets } from './targets.ts';
import { until } from './until.ts';

const IP = '127.0.0.1';
const NAME = 'localhost';

setDefaultTimeout(30_000);

const targets = await prepareTargets();
await ensureDebian(['socat', 'openssl']);

const authority = await makeAuthority('authority');
const foreigner = await makeAuthority('foreigner');
const here = `IP:${IP},DNS:${NAME}`;
const server = await makeCertificate('server', authority, here);
const foreign = await makeCertificate('foreign', foreigner, here);
const elsewhere = await makeCertificate('elsewhere', authority, 'IP:127.0.0.2,DNS:elsewhere');
const { certificate, key } = await makeCertificate('client', authority, 'DNS:client');
const ca = authority.certificate;
const both = `${foreigner.certificate}${ca}`;

const tls11 = 'openssl-min-proto-version=TLS1.1,openssl-max-proto-version=TLS1.1';
const ports = {
  good: await serveTls(server, 'cat'),
  tls12: await serveTls(server, 'cat', 'verify=0,openssl-max-proto-version=TLS1.2'),
  tls11: await serveTls(server, 'cat', `verify=0,${tls11},ciphers=ALL@SECLEVEL=0`),
  endsFirst: await serveTls(server, 'echo hello'),
  foreign: await serveTls(foreign, 'cat'),
  elsewhere: await serveTls(elsewhere, 'cat'),
  asking: await serveTls(server, 'cat', `verify=1,cafile=${authority.path}`),
  asking12: await serveTls(
    server,
    'cat',
    `verify=1,cafile=${authority.path},openssl-max-proto-version=TLS1.2`,
  ),
  echo: await serveTcp((socket) => socket.pipe(socket)),
  ending: await serveTcp((socket) => socket.end()),
  resetting: await serveTcp((socket) => socket.once('data', () => socket.resetAndDestroy())),
  garbage: await serveTcp((socket) => socket.end('SSH-2.0-OpenSSH_9.2p1 Debian\r\n'.repeat(100))),
};

afterEach(killFixtures);
afterAll(stopServers);

describe.each(targets)('$name: over TLS', (target) => {
  test.each([
    ['a server by its address', IP, ports.good, { ca }],
    ['a server by its name', NAME, ports.good, { ca }],
    ['TLS 1.2', IP, ports.tls12, { ca }],
    ['one of two authorities', IP, ports.good, { ca: both }],
    ['a certificate of ours that is wanted', IP, ports.asking, { ca, certificate, key }],
    ['the same in TLS 1.2', IP, ports.asking12, { ca, certificate, key }],
    ['a certificate of ours that is not wanted', IP, ports.good, { ca, certificate, key }],
  ])('%s: every byte goes both ways', async (_, host, port, tls) => {
    const fixture = await Fixture.start(target);
    await fixture.open({ host, port, tls });
    await fixture.seen('opened');
    await fixture.do({ do: 'write', connection: 0, bytes: 4 << 20 });
    await fixture.do({ do: 'end', connection: 0 });
    expect(await fixture.seen('end')).toMatchObject([{ bytes: 4 << 20, intact: true }]);
    expect(await fixture.seen('closed')).toEqual([CLOSED]);
    expect(fixture.all('opened').length).toBe(1);
  });

  test('a peer that speaks and ends first', async () => {
    const fixture = await Fixture.start(target);
    await fixture.open({ port: ports.endsFirst, tls: { ca }, service: { endWithPeer: true } });
    expect(await fixture.seen('end')).toMatchObject([{ bytes: 6 }]);
    expect(await fixture.seen('closed')).toEqual([CLOSED]);
    const events = fixture.reports.map(({ event }) => event).filter((event) => event !== 'done');
    expect(events).toEqual(['opened', 'data', 'end', 'closed']);
  });

  test.each([
    ['no authority', IP, ports.good, {}, /SELF_SIGNED|VERIFY|ISSUER/],
    ['another authority', IP, ports.foreign, { ca }, /SELF_SIGNED|VERIFY|ISSUER/],
    ['another address', IP, ports.elsewhere, { ca }, /^ERR_TLS_CERT_ALTNAME_INVALID$/],
    ['another name', NAME, ports.elsewhere, { ca }, /^ERR_TLS_CERT_ALTNAME_INVALID$/],
    ['TLS 1.1', IP, ports.tls11, { ca }, /PROTOCOL_VERSION/],
    ['a certificate wanted in TLS 1.2', IP, ports.asking12, { ca }, /HANDSHAKE_FAILURE|ECONNRESET/],
    ['an echo', IP, ports.echo, { ca }, /^ERR_SSL_/],
    ['another protocol', IP, ports.garbage, { ca }, /^(ERR_SSL_|ECONNRESET)/],
    ['an end instead', IP, ports.ending, { ca }, /^ECONNRESET$/],
    ['a reset instead', IP, ports.resetting, { ca }, /^(ECONNRESET|EPIPE)$/],
  ])('%s is an error, told once', async (_, host, port, tls, code) => {
    const fixture = await Fixture.start(target);
    await fixture.open({ host, port, tls });
    await fixture.expectRefused(code);
  });

  test('a certificate wanted and not given is an error, in TLS 1.3 after opened', async () => {
    const fixture = await Fixture.start(target);
    await fixture.open({ port: ports.asking, tls: { ca } });
    await fixture.do({ do: 'write', connection: 0, bytes: 1_000 });
    const [closed] = await fixture.seen('closed');
    expect(closed?.code).toMatch(/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|ECONNRESET|EPIPE/);
    await fixture.expectNoMore();
    expect(fixture.received).toBe(0);
  });

  test.each([
    ['at once', { port: ports.good, destroy: true }, 0],
    ['within opened', { port: ports.good, service: { atOnce: 'destroy' } }, 1],
  ] as const)(
    'destroyed %s, it closes without an error, and nothing is left',
    async (_, options, opened) => {
      const fixture = await Fixture.start(target);
      await fixture.open({ ...options, tls: { ca } });
      await expectNothingLeft(fixture, opened);
    },
  );

  test('destroyed while the other side says nothing', async () => {
    let hello = 0;
    let isEnded = false;
    const port = await serveTcp((socket) => {
      socket.on('data', (bytes) => {
        hello += bytes.length;
      });
      socket.on('end', () => {
        isEnded = true;
      });
    });
    const fixture = await Fixture.start(target);
    await fixture.open({ port, tls: { ca } });
    await until('the greeting', () => hello > 0);
    await fixture.do({ do: 'destroy', connection: 0 });
    expect(await fixture.seen('closed')).toEqual([CLOSED]);
    await until('the end at the peer', () => isEnded);
    await fixture.expectNoMore();
    expect(fixture.all('opened')).toEqual([]);
    expect(fixture.all('end')).toEqual([]);
  });
});
