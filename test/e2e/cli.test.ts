import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { OPTIONS } from '../../src/config/options.ts';
import { readTopic } from '../support/consume.ts';
import { stopDrained, waitForDocuments } from '../support/documents.ts';
import { startKRaft } from '../support/kafka.ts';
import { sendStream } from '../support/peer.ts';
import { freePort, waitForPort } from '../support/ports.ts';
import { start } from '../support/process.ts';
import { runSyslogger, startSyslogger } from '../support/syslogger.ts';
import { tempDir } from '../support/temp.ts';
import { createTopic } from '../support/topics.ts';

setDefaultTimeout(60_000);

describe('where it can’t listen it ends with exit code 78 and one line', () => {
  let server: Server;
  let taken = 0;
  beforeAll(async () => {
    server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    taken = typeof address === 'object' && address ? address.port : 0;
  });
  afterAll(() => server.close());

  const cases: [name: string, listen: () => string, says: string][] = [
    ['the port is taken', () => `tcp://127.0.0.1:${taken}`, 'it is taken by another program'],
    ['no such host', () => 'tcp://nowhere.invalid:0', 'there is no such host name'],
    // TEST-NET-1 (RFC 5737): an address that no machine has.
    ['a foreign address', () => 'tcp://192.0.2.1:0', 'this machine has no such address'],
  ];
  for (const [name, listen, says] of cases) {
    test(name, async () => {
      const args = ['--stdout', '--admin', 'none', '--listen', listen()];
      const { code, stdout, stderr } = await runSyslogger(args);
      expect(stderr).toMatch(/^[^\n]+\n$/);
      expect(stderr).toStartWith(`syslogger: can't listen on ${listen()}: ${says}`);
      expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    });
  }
});

for (const flag of ['--help', '-h']) {
  test(`${flag} tells every option on stdout`, async () => {
    const { code, stdout, stderr } = await runSyslogger([flag]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const option of OPTIONS) {
      const { name } = option;
      const shown = 'isSecret' in option ? name : `^ +--${name}\\b`;
      expect(stdout).toMatch(new RegExp(shown, 'm'));
    }
    for (const command of ['check', 'rsyslog']) expect(stdout).toInclude(`$ syslogger ${command}`);
  });
}

for (const flag of ['--version', '-v']) {
  test(`${flag} is one line on stdout`, async () => {
    const { code, stdout, stderr } = await runSyslogger([flag]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^syslogger \d+\.\d+\.\d+ \(commit [0-9a-f]{12}(-dirty)?, bun \S+, \w+-\w+\)\n$/,
    );
  });
}

test('logs go to stderr only, a line each, with what it listens on', async () => {
  const listen = ['--listen', 'tcp://127.0.0.1:0', '--listen', 'tcp://[::1]:0'];
  const daemon = await startSyslogger({ args: ['--stdout', ...listen] });
  await daemon.waitForLog(/tcp:\/\/\[::1\]:\d+/);
  expect(await stopDrained(daemon)).toBe(0);
  expect(daemon.stdout()).toBe('');
  const lines = daemon.stderr().split('\n').slice(0, -1);
  for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\S+Z info \S/);
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(
    / syslogger \d\S+ listening on tcp:\/\/127\.0\.0\.1:\d+, tcp:\/\/\[::1\]:\d+, forwarding to standard output$/,
  );
});

test('under journald each line of the log begins with its priority', async () => {
  const run = 'exec dist/syslogger --stdout --admin none --listen tcp://127.0.0.1:0';
  const script = `JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/2) ${run}`;
  const daemon = start('journald', ['sh', '-c', script]);
  await daemon.waitForLine(/listening on/);
  expect((await daemon.stop()).code).toBe(0);
  for (const line of daemon.stderr().trimEnd().split('\n')) expect(line).toMatch(/^<6>\S/);
});

for (const format of ['logfmt', 'json']) {
  test(`--log-format ${format} and --log-level`, async () => {
    const args = ['--stdout', '--log-format', format, '--log-level', 'debug'];
    const daemon = await startSyslogger({ args });
    await sendStream(daemon.port, '<13>app: x\n');
    await waitForDocuments(daemon, 1);
    await stopDrained(daemon);
    const lines = daemon.stderr().trimEnd().split('\n');
    const shape =
      format === 'json'
        ? /^\{"time":"\d{4}-\S+Z","level":"(debug|info)","msg":"[^"]+"\}$/
        : /^time=\d{4}-\S+Z level=(debug|info) msg="[^"]+"$/;
    for (const line of lines) expect(line).toMatch(shape);
    expect(lines.filter((line) => line.includes('debug'))).toHaveLength(2);
  });
}

test('--log-level error is silent while all is well', async () => {
  const port = await freePort();
  const args = ['--stdout', '--port', String(port), '--log-level', 'error'];
  const daemon = await startSyslogger({ args, dontWait: true });
  await waitForPort(port);
  await daemon.stop();
  expect(daemon.stderr()).toBe('');
});

test("another process's journal is not ours: its variable alone changes nothing", async () => {
  const daemon = await startSyslogger({ args: ['--stdout'], env: { JOURNAL_STREAM: '8:1' } });
  await stopDrained(daemon);
  for (const line of daemon.stderr().trimEnd().split('\n')) expect(line).toMatch(/^\d{4}-/);
});

test('what lies in the working directory has no effect', async () => {
  const cwd = tempDir('hostile');
  const crash = join(cwd, 'crash.ts');
  const loaded = join(cwd, 'loaded');
  const files: Record<string, string> = {
    '.env': environment(crash),
    '.env.local': environment(crash),
    '.env.production': environment(crash),
    'bunfig.toml': `preload = ["${crash}"]\n[run]\nsilent = true\n`,
    'crash.ts': `require('fs').writeFileSync('${loaded}', ''); process.exit(9);`,
    'package.json': '{"name": "x", "type": "commonjs", "main": "crash.ts", "broken": ',
    'tsconfig.json': '{"compilerOptions": {"paths": {"*": ["./crash.ts"]}, "broken": ',
    'index.ts': `require('${crash}');`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  for (const name of ['kafkajs', 'cac', 'consola', 'consola/core', 'node-zookeeper-client']) {
    const dir = join(cwd, 'node_modules', name);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'index.js'), files['crash.ts']);
  }
  const before = readdirSync(cwd);

  const daemon = await startSyslogger({ args: ['--stdout'], cwd, env: { TZ: undefined } });
  await sendStream(daemon.port, '<13>Jan 15 12:00:00 host app: x\n<13>app: y');
  const [{ timestamp }] = await waitForDocuments(daemon, 2);
  expect(timestamp).not.toEndWith('+14:00');
  expect(await stopDrained(daemon)).toBe(2);
  expect(daemon.stderr().trimEnd().split('\n')).toHaveLength(3);
  expect(daemon.stderr()).not.toMatch(/^<6>/);
  const version = await runSyslogger(['--version'], cwd);
  expect(version).toMatchObject({ code: 0, stderr: '' });
  expect(existsSync(loaded)).toBe(false);
  expect(readdirSync(cwd)).toEqual(before);
});

test('a topic of digits is not taken for a number', async () => {
  const kafka = await startKRaft();
  for (const topic of ['007', '7']) await createTopic(kafka.address, { topic });
  const daemon = await startSyslogger({ args: ['--brokers', kafka.address, '--topic', '007'] });
  await sendStream(daemon.port, '<13>app: Bond\n');
  const [{ value }] = await readTopic(kafka.address, '007', { count: 1 });
  expect(value.toString()).toBe('{"facility":1,"severity":5,"appname":"app","message":"Bond"}');
  expect(await readTopic(kafka.address, '7')).toEqual([]);
  expect(await stopDrained(daemon)).toBe(1);
  await kafka.kill();
});

function environment(script: string): string {
  return [
    'SYSLOGGER_FORMAT=raw',
    'SYSLOGGER_STDOUT=0',
    'SYSLOGGER_BROKERS=127.0.0.1:1',
    `NODE_OPTIONS=--require ${script}`,
    `BUN_OPTIONS=--preload ${script}`,
    'BUN_BE_BUN=1',
    'BUN_INSPECT=127.0.0.1:0',
    'JOURNAL_STREAM=8:1',
    'TZ=Pacific/Kiritimati',
    '',
  ].join('\n');
}
