import { afterEach, describe, expect, onTestFinished, setDefaultTimeout, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import {
  type Certificate,
  makeAuthority,
  makeCertificate,
  makeExpired,
} from '../support/certificates.ts';
import { startDaemon } from '../support/delivery.ts';
import { documentsOf, waitForDocuments } from '../support/documents.ts';
import { startGate } from '../support/gate.ts';
import { ensureDebian } from '../support/install.ts';
import { checkNumbered } from '../support/lines.ts';
import { sendLoad } from '../support/load.ts';
import { connectPeer, dropPeers } from '../support/peer.ts';
import { freePort } from '../support/ports.ts';
import { startRsyslogd, type Target } from '../support/rsyslogd.ts';
import { runners, type Syslogger, type SysloggerOptions } from '../support/syslogger.ts';
import { tempDir } from '../support/temp.ts';
import { sleep, waitFor } from '../support/wait.ts';

setDefaultTimeout(120_000);
afterEach(dropPeers);
await ensureDebian(['openssl']);

const NAME = 'syslogger.example.com';
const dir = tempDir('tls');
const authority = await makeAuthority('authority');
const stranger = await makeAuthority('stranger');
const server = await makeCertificate('server', authority, `DNS:${NAME},IP:127.0.0.1`);
const renewed = await makeCertificate('renewed', authority, `DNS:${NAME},IP:127.0.0.1`);
const good = await makeCertificate('good', authority, 'DNS:web1.example.com');
const elsewhere = await makeCertificate('elsewhere', authority, 'DNS:web1.example.org');
const foreign = await makeCertificate('foreign', stranger, 'DNS:web1.example.com');
const expired = await makeExpired('expired', authority, good);

const identity = ({ path, keyPath }: Certificate) => [
  ...['--tls-certificate', path, '--tls-key', keyPath],
];
const mutual = [...['--tls-client-ca', authority.path, '--tls-client-names', '*.example.com']];

function start(
  scheme: 'tls' | 'relps',
  args: string[] = [],
  options: Omit<SysloggerOptions, 'args'> = {},
): Promise<Syslogger> {
  const listen = ['--listen', `${scheme}://127.0.0.1:0`, ...identity(server)];
  return startDaemon(['--stdout', ...listen, ...args], options);
}

/** Runs `openssl s_client`, with a certificate perhaps, and writes to it. @returns what became of it */
function sClient(port: number, text: string, client?: Certificate, options: string[] = []) {
  const shown = client ? ['-cert', client.path, '-key', client.keyPath] : [];
  const check = ['-CAfile', authority.path, '-verify_return_error', '-quiet'];
  const child = spawn(
    'openssl',
    ['s_client', '-connect', `127.0.0.1:${port}`, ...check, ...shown, ...options],
    { stdio: ['pipe', 'ignore', 'ignore'] },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  child.stdin.on('error', () => {});
  child.stdin.write(text);
  return {
    isOver: () => child.exitCode !== null,
    end: () => child.stdin.end(),
  };
}

for (const version of ['-tls1_2', '-tls1_3']) {
  test(`openssl s_client with ${version}`, async () => {
    const daemon = await start('tls');
    const client = sClient(daemon.port, '<13>app: secret\n16 <13>app: counted', undefined, [
      version,
    ]);
    const documents = await waitForDocuments(daemon, 2);
    expect(documents.map(({ message }) => message)).toEqual(['secret', 'counted']);
    client.end();
    expect(await daemon.stop()).toMatchObject({ code: 0 });
  });
}

test('TLS 1.1 is refused, and the log says so', async () => {
  const daemon = await start('tls');
  const old = ['-tls1_1', '-cipher', 'ALL@SECLEVEL=0'];
  const client = sClient(daemon.port, '<13>app: old\n', undefined, old);
  await waitFor('it is let in', client.isOver);
  await daemon.waitForLog(
    /tls:\/\/127\.0\.0\.1:\d+: 127\.0\.0\.1:\d+ can't be spoken to over TLS: /,
  );
  expect(documentsOf(daemon)).toEqual([]);
});

describe('client certificates', () => {
  for (const scheme of ['tls', 'relps'] as const) {
    test(`${scheme}: one that is good and permitted`, async () => {
      const daemon = await start(scheme, mutual);
      const text =
        scheme === 'tls'
          ? '<13>app: hello\n'
          : '1 open 30 relp_version=0\ncommands=syslog\n2 syslog 14 <13>app: hello\n';
      sClient(daemon.port, text, good);
      expect((await waitForDocuments(daemon, 1))[0]?.message).toBe('hello');
    });

    for (const [what, client, says] of [
      ['none', undefined, /has no certificate that is accepted: /],
      ['a foreign one', foreign, /has no certificate that is accepted: /],
      ['an expired one', expired, /has no certificate that is accepted: .*expired/i],
      [
        'one with another name',
        elsewhere,
        /its certificate is for web1\.example\.org, elsewhere: not permitted by --tls-client-names/,
      ],
    ] as const) {
      test(`${scheme}: ${what} is refused, and the log says why`, async () => {
        const daemon = await start(scheme, mutual);
        const peer = sClient(daemon.port, '<13>app: hello\n', client);
        await waitFor('it is let in', peer.isOver);
        await daemon.waitForLog(says);
        sClient(daemon.port, scheme === 'tls' ? '<13>app: good\n' : '1 open 0\n', good);
        if (scheme === 'tls') {
          const documents = await waitForDocuments(daemon, 1);
          expect(documents.map(({ message }) => message)).toEqual(['good']);
        }
      });
    }
  }
});

test('a plain sender at a TLS port, and the reverse: the log says so', async () => {
  const daemon = await start('tls', ['--listen', 'tcp://127.0.0.1:0']);
  const plain = await connectPeer(daemon.portOf('tls'));
  await plain.send('<13>app: plain\n');
  await daemon.waitForLog(/tls:\S+ 127\.0\.0\.1:\d+ does not speak TLS, which this port wants/);
  await waitFor('closed', plain.isClosed);
  sClient(daemon.portOf('tcp'), 'x');
  await daemon.waitForLog(/speaks TLS to a plain syslog port/);
});

for (const runner of runners) {
  test(`${runner}: SIGHUP shows the new certificate, and keeps the old one if the new one is bad`, async () => {
    const files = { path: join(dir, `${runner}.pem`), keyPath: join(dir, `${runner}.key`) };
    const install = ({ path, keyPath }: Certificate) => {
      copyFileSync(path, files.path);
      copyFileSync(keyPath, files.keyPath);
    };
    install(server);
    const args = ['--stdout', '--listen', 'tls://127.0.0.1:0', ...identity(files as Certificate)];
    const daemon = await startDaemon(args, { runner });
    const old = connectTls({ host: '127.0.0.1', port: daemon.port, ca: authority.certificate });
    onTestFinished(() => void old.destroy());
    await waitFor('connected', () => old.authorized);
    expect(await shown(daemon.port)).toBe('server');

    install(renewed);
    daemon.child.signal('SIGHUP');
    await daemon.waitForLog(/SIGHUP: new connections get the certificates as they are now/);
    expect(await shown(daemon.port)).toBe('renewed');

    writeFileSync(files.path, 'garbage');
    daemon.child.signal('SIGHUP');
    await daemon.waitForLog(/SIGHUP: the certificates stay as they were: .*no PEM certificate/);
    copyFileSync(server.path, files.path);
    daemon.child.signal('SIGHUP');
    await daemon.waitForLog(/SIGHUP: the certificates stay as they were: .*it is not the key of/);
    expect(await shown(daemon.port)).toBe('renewed');

    old.write('<13>app: over the old connection\n');
    const [document] = await waitForDocuments(daemon, 1);
    expect(document?.message).toBe('over the old connection');
  });
}

/** The common name in the certificate that is shown at a port. */
function shown(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port, ca: authority.certificate }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

test('a handshake that is under way at the stop is waited for, and what comes is forwarded', async () => {
  const daemon = await start('tls');
  const gate = await startGate(daemon.port, 1);
  const client = connectTls({ host: '127.0.0.1', port: gate.port, ca: authority.certificate });
  onTestFinished(() => void client.destroy());
  client.write('<13>app: late\n');
  await waitFor('the client has answered', () => gate.chunks() > 1);
  daemon.child.signal('SIGTERM');
  await daemon.waitForLog(/SIGTERM: stopping/);
  gate.open();
  expect(await daemon.child.exited).toEqual({ code: 0, signal: null });
  expect(documentsOf(daemon).map(({ message }) => message)).toEqual(['late']);
});

test('who gets through the handshake after the stop is told to go like the others', async () => {
  const daemon = await start('relps', ['--listen', 'tcp://127.0.0.1:0', '--drain-timeout', '20']);
  await connectPeer(daemon.portOf('tcp'));
  const gate = await startGate(daemon.portOf('relps'), 1);
  const client = connectTls({ host: '127.0.0.1', port: gate.port, ca: authority.certificate });
  onTestFinished(() => void client.destroy());
  let heard = '';
  client.on('data', (bytes: Buffer) => {
    heard += bytes;
  });
  client.write('1 open 30 relp_version=0\ncommands=syslog\n');
  await waitFor('the client has answered', () => gate.chunks() > 1);
  daemon.child.signal('SIGTERM');
  await daemon.waitForLog(/SIGTERM: stopping/);
  gate.open();
  expect(await daemon.child.exited).toEqual({ code: 0, signal: null });
  expect(heard).toEndWith('\n0 serverclose 0\n');
});

test('who says over TLS that it has ended, and stays connected, keeps no place', async () => {
  const limits = ['--max-connections', '1', '--first-message-timeout', '1'];
  const daemon = await start('tls', limits);
  const gate = await startGate(daemon.port, Number.POSITIVE_INFINITY);
  const client = connectTls({ host: '127.0.0.1', port: gate.port, ca: authority.certificate });
  client.on('error', () => {});
  onTestFinished(() => void client.destroy());
  client.end('<13>app: first\n');
  await waitForDocuments(daemon, 1);
  await sleep(2_000);
  sClient(daemon.port, '<13>app: second\n');
  await waitForDocuments(daemon, 2);
});

const own = { certificate: good.path, key: good.keyPath };
const targets: [what: string, args: string[], target: Omit<Target, 'port'>][] = [
  ['omfwd', [], { tls: { ca: authority.path, name: NAME } }],
  ['omfwd with a certificate', mutual, { tls: { ca: authority.path, name: NAME, ...own } }],
  ['omrelp', [], { protocol: 'relp', tls: { ca: authority.path, name: NAME, ...own } }],
  [
    'omrelp with a certificate that is checked',
    mutual,
    { protocol: 'relp', tls: { ca: authority.path, name: NAME, ...own } },
  ],
];

for (const [what, args, target] of targets) {
  test(`rsyslogd, ${what}: restarted under load, nothing is missing or repeated`, async () => {
    const scheme = target.protocol === 'relp' ? 'relps' : 'tls';
    const port = await freePort();
    const listen = ['--listen', `${scheme}://127.0.0.1:${port}`, ...identity(server), ...args];
    const run = () => startDaemon(['--stdout', ...listen]);
    const daemons = [await run()];
    const batchSize = target.protocol === 'relp' ? 128 : 1;
    const rsyslogd = await startRsyslogd({ target: { ...target, port }, batchSize });
    onTestFinished(() => rsyslogd.kill());
    const count = 36_000;
    const load = sendLoad({ port: rsyslogd.inputPort, count, rate: 8_000 });
    for (let restart = 0; restart < 3; restart++) {
      await sleep(1_200);
      expect(await daemons.at(-1)?.stop()).toMatchObject({ code: 0 });
      daemons.push(await run());
    }
    await load;
    await rsyslogd.waitUntilQueueEmpty(count);
    const lines = () => daemons.flatMap((one) => one.stdout().split('\n').slice(0, -1));
    await waitFor('all of it', () => lines().length >= count, { everyMs: 200 });
    await sleep(500);
    expect(
      checkNumbered(
        lines().map((line) => Buffer.from(line)),
        count,
      ),
    ).toEqual({ missing: [], repeated: [] });
  });
}
