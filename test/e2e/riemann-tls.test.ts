import { beforeAll, expect, onTestFinished, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import { type Certificate, makeAuthority, makeCertificate } from '../support/certificates.ts';
import { run } from '../support/command.ts';
import { startDaemon } from '../support/delivery.ts';
import { ensureDebian } from '../support/install.ts';
import { startRiemannServer } from '../support/riemann-server.ts';
import { runners } from '../support/syslogger.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

setDefaultTimeout(60_000);

let ca: Certificate;
let other: Certificate;
let server: Certificate;
let client: Certificate;
let encryptedKey: string;

beforeAll(async () => {
  await ensureDebian(['protoc', 'openssl']);
  ca = await makeAuthority('riemann-ca');
  other = await makeAuthority('another-ca');
  server = await makeCertificate('riemann', ca, 'IP:127.0.0.1');
  client = await makeCertificate('syslogger', ca, 'DNS:syslogger.example.com');
  encryptedKey = join(tempDir('keys'), 'encrypted.key');
  const encrypt = ['-aes-256-cbc', '-passout', 'pass:open sesame', '-out', encryptedKey];
  await run(['openssl', 'pkey', '-in', client.keyPath, ...encrypt]);
});

async function startRiemann() {
  const { certificate: cert, key } = server;
  const riemann = await startRiemannServer({
    tls: { cert, key, ca: ca.certificate, requestCert: true },
  });
  onTestFinished(() => riemann.stop());
  return { riemann, to: ['--stdout', '--riemann', `tls://127.0.0.1:${riemann.port}`] };
}

for (const runner of runners) {
  test(`events over TLS, with a certificate whose key is encrypted: ${runner}`, async () => {
    const { riemann, to } = await startRiemann();
    const files = ['--riemann-certificate', client.path, '--riemann-key', encryptedKey];
    const env = { SYSLOGGER_RIEMANN_KEY_PASSPHRASE: 'open sesame' };
    const args = [...to, '--riemann-ca', ca.path, ...files];
    const daemon = await startDaemon(args, { env, runner });
    await waitFor('events come', () => riemann.received.length > 0);
    expect((await daemon.stop()).code).toBe(0);
    const events = riemann.events();
    expect(events.at(-1)).toMatchObject({ service: 'syslogger kafka', state: 'stopped' });
    expect(events.every(({ attributes }) => attributes.topic === undefined)).toBe(true);
    expect(daemon.stderr()).not.toInclude('sesame');
    expect(daemon.stderr()).not.toInclude('warn');
  });
}

test('a server of another authority, and a missing certificate of ours: said, and forwarding goes on', async () => {
  const { riemann, to } = await startRiemann();
  const env = { NODE_TLS_REJECT_UNAUTHORIZED: '0' };
  const stranger = await startDaemon([...to, '--riemann-ca', other.path], { env });
  await stranger.waitForLog(
    /warn Riemann 127\S+: can't connect: .*certificate.*; forwarding goes on/,
  );
  expect((await stranger.stop()).code).toBe(0);

  const nobody = await startDaemon([...to, '--riemann-ca', ca.path]);
  await nobody.waitForLog(/warn Riemann 127\S+: .*; forwarding goes on/);
  expect((await nobody.stop()).code).toBe(0);
  expect(riemann.received).toHaveLength(0);
});
