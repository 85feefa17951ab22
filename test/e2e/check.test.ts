import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parse, type TomlTable } from 'smol-toml';
import { OPTIONS, type Option } from '../../src/config/options.ts';
import { runWith, TLS } from '../config/cases.ts';
import { run } from '../support/command.ts';
import { ensureDebian } from '../support/install.ts';
import { tempDir } from '../support/temp.ts';

const PASSPHRASE = 'open-sesame';

interface Given {
  args?: string[];
  env?: Record<string, string>;
  /** The configuration file. */
  file?: string;
}

/** What `syslogger check` finds in force, as its reader and as a parser of TOML see it. */
async function check({ args = [], env = {}, file }: Given) {
  const path = file === undefined ? undefined : fileWith(file);
  const config = path === undefined ? [] : ['--config', path];
  const { code, stdout, stderr } = await runWith(['check', ...config, ...args], { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^# syslogger \S+: every value is good\n/);
  const lines = [...stdout.matchAll(/^(?:# )?([\w-]+) = .* # (.+)$/gm)];
  const sources: Record<string, string> = {};
  for (const [, name, source] of lines) {
    sources[name] = path === undefined ? source : source.replace(path, 'FILE');
  }
  return { stdout, values: parse(stdout), sources };
}

function fileWith(text: string): string {
  const path = join(tempDir('check'), 'syslogger.toml');
  writeFileSync(path, text);
  return path;
}

describe('flags win over the environment, and that over the file', () => {
  const file = '# first\ntopic = "file"\n';
  const env = { SYSLOGGER_TOPIC: 'environment' };
  const cases: [topic: string, source: string, given: Given][] = [
    ['syslog', 'default', {}],
    ['file', 'FILE:2', { file }],
    ['environment', 'SYSLOGGER_TOPIC', { file, env }],
    ['flag', '--topic', { file, env, args: ['--topic', 'flag'] }],
    ['flag', '--topic', { file, args: ['--topic', 'flag'] }],
    ['file', 'FILE:2', { file, env: { SYSLOGGER_TOPIC: '' } }],
  ];
  for (const [topic, source, given] of cases) {
    test(`topic ${topic} of ${Object.keys(given).join(' and ') || 'nothing'}`, async () => {
      const { values, sources } = await check(given);
      expect([values.topic, sources.topic]).toEqual([topic, source]);
    });
  }

  test('the file that --config names, over the one in the environment', async () => {
    const env = { SYSLOGGER_CONFIG: fileWith('topic = "other"\n') };
    const alone = await check({ env });
    expect(alone.values).toMatchObject({ topic: 'other' });
    expect(alone.sources).toMatchObject({
      config: 'SYSLOGGER_CONFIG',
      topic: `${env.SYSLOGGER_CONFIG}:1`,
    });
    const { values, sources } = await check({ env, file });
    expect(values).toMatchObject({ topic: 'file' });
    expect(sources.config).toBe('--config');
  });
});

describe('options of one group replace those of weaker sources', () => {
  const file = 'brokers = "file:9092"\nlisten = ["tcp://[::1]:1", "tcp://[::1]:2"]\n';
  const address = 'tcp://127.0.0.1:1';
  const DEFAULTS = { zookeeper: 'localhost:2181', listen: ['tcp://0.0.0.0:1514'] };
  const cases: [name: string, given: Given, inForce: TomlTable][] = [
    ['nothing', {}, DEFAULTS],
    ['a file', { file }, { brokers: 'file:9092', listen: ['tcp://[::1]:1', 'tcp://[::1]:2'] }],
    [
      'the environment over a file',
      { file, env: { SYSLOGGER_STDOUT: 'yes', SYSLOGGER_PORT: '3' } },
      { stdout: true, port: 3 },
    ],
    [
      'flags over both',
      {
        file,
        env: { SYSLOGGER_STDOUT: '1', SYSLOGGER_PORT: '3' },
        args: ['--zookeeper', 'flag:2181', '--listen', address],
      },
      { zookeeper: 'flag:2181', listen: [address] },
    ],
    [
      'the same option of two sources',
      { file, env: { SYSLOGGER_BROKERS: 'environment', SYSLOGGER_LISTEN: address } },
      { brokers: 'environment', listen: [address] },
    ],
    [
      'a switch that is off replaces nothing else',
      { file, env: { SYSLOGGER_STDOUT: '0' } },
      { brokers: 'file:9092', listen: ['tcp://[::1]:1', 'tcp://[::1]:2'] },
    ],
    [
      'a switch that is off, over one that is on',
      { file: 'stdout = true\n', env: { SYSLOGGER_STDOUT: 'off' } },
      DEFAULTS,
    ],
    [
      'a switch that is off in the file',
      { file: 'stdout = false\nbrokers = "file"\nport = 1\n' },
      { brokers: 'file', port: 1 },
    ],
  ];
  const grouped = (OPTIONS as readonly Option[]).filter(({ group }) => group !== undefined);
  for (const [name, given, inForce] of cases) {
    test(name, async () => {
      const { values } = await check(given);
      const found = grouped.filter((option) => option.name in values);
      expect(Object.fromEntries(found.map((option) => [option.name, values[option.name]]))).toEqual(
        inForce,
      );
    });
  }
});

test('Riemann and the admin page can be switched off by a stronger source', async () => {
  const file = 'riemann = "riemann:5555"\nadmin = "127.0.0.1:1"\n';
  const { values } = await check({ file, args: ['--riemann', 'none', '--admin', 'none'] });
  expect(values).toMatchObject({ riemann: 'none', admin: 'none' });
});

test('what Kubernetes puts into the environment of every container is not ours', async () => {
  const env = {
    SYSLOGGER_SERVICE_HOST: '10.0.0.1',
    SYSLOGGER_SERVICE_PORT_SYSLOG: '1514',
    SYSLOGGER_PORT: 'tcp://10.0.0.1:1514',
    SYSLOGGER_PORT_1514_TCP_ADDR: '10.0.0.1',
  };
  const { values } = await check({ env });
  expect(values.listen).toEqual(['tcp://0.0.0.0:1514']);
});

test('a list is separated by commas in the environment, and may be a single text in the file', async () => {
  const listen = ['tcp://127.0.0.1:1', 'tcp://[::1]:1'];
  const environment = await check({ env: { SYSLOGGER_LISTEN: listen.join(', ') } });
  expect(environment.values.listen).toEqual(listen);
  const single = await check({ file: `listen = "${listen[1]}"\n` });
  expect(single.values.listen).toEqual([listen[1]]);
});

test('what is printed is a configuration file of the same values', async () => {
  const args = ['--max-message-bytes', '0064', '--drain-timeout', '0.50', '--log-level', 'debug'];
  args.push('--listen', 'tcp://127.0.0.1:1', '--listen', 'tcp://[::1]:0', '--admin', 'none');
  args.push('--zookeeper', 'a:1,[::1]:2/"quoted"\\ü\u007f#');
  const printed = [];
  for (const given of [{}, { args }, { file: 'stdout = true\n"port" = 0x5ea\n' }]) {
    const first = await check(given);
    const second = await check({ file: first.stdout });
    expect(second.values).toEqual(first.values);
    printed.push(first.values);
  }
  expect(printed[1]).toMatchObject({
    'max-message-bytes': 64,
    'drain-timeout': 0.5,
    zookeeper: 'a:1,[::1]:2/"quoted"\\ü\u007f#',
  });
  expect(printed[2]).toMatchObject({ port: 1514 });
});

test('a file whose name has a line end does not spoil what is printed', async () => {
  const path = join(tempDir('check'), 'two\nlines.toml');
  writeFileSync(path, 'topic = "logs"\n');
  const { values } = await check({ args: ['--config', path] });
  expect(values.topic).toBe('logs');
});

describe('a passphrase is used and not shown', () => {
  const options = [
    'stdout = true',
    'riemann = "tls://riemann.invalid"',
    `riemann-certificate = "${join(TLS, 'client.pem')}"`,
    `riemann-key = "${join(TLS, 'encrypted.key')}"`,
    '',
  ].join('\n');
  const cases: [source: string, given: Given][] = [
    [
      'SYSLOGGER_RIEMANN_KEY_PASSPHRASE',
      { file: options, env: { SYSLOGGER_RIEMANN_KEY_PASSPHRASE: PASSPHRASE } },
    ],
    ['FILE:5', { file: `${options}riemann-key-passphrase = "${PASSPHRASE}"\n` }],
  ];
  for (const [source, given] of cases) {
    test(source, async () => {
      const { stdout, sources } = await check(given);
      expect(sources['riemann-key-passphrase']).toBe(source);
      expect(stdout).not.toInclude(PASSPHRASE);
    });
  }
});

test('without --connect it talks to nobody, and listens nowhere', async () => {
  let connections = 0;
  const server = createServer(() => {
    connections += 1;
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const taken = `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  const listen = ['--listen', `tcp://${taken}`, '--riemann', taken];
  await check({ args: [...listen, '--brokers', taken] });
  await check({ args: ['--admin', taken, '--zookeeper', taken] });
  server.close();
  expect(connections).toBe(0);
  // TEST-NET-1 (RFC 5737): an address that nobody answers at.
  await check({ args: ['--brokers', '192.0.2.1:9092', '--riemann', 'tls://192.0.2.1'] });
});

describe('syslogger rsyslog prints what rsyslogd takes', () => {
  const cases: [listen: string, target: string][] = [
    ['tcp://0.0.0.0:1514', '127.0.0.1'],
    ['tcp://[::]:1514', '::1'],
    ['tcp://192.0.2.1:1514', '192.0.2.1'],
    ['tcp://logs.example.com:1514', 'logs.example.com'],
  ];
  for (const [listen, target] of cases) {
    test(listen, async () => {
      await ensureDebian(['rsyslogd']);
      const { code, stdout, stderr } = await runWith(['rsyslog', '--listen', listen]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toInclude(` target="${target}" port="1514" `);
      await run(['rsyslogd', '-N1', '-f', fileWith(stdout)]);
    });
  }

  test('but not for a port that the system chooses', async () => {
    const ended = await runWith(['rsyslog', '--port', '0']);
    expect(ended).toMatchObject({ code: 78, stdout: '' });
    expect(ended.stderr).toMatch(/^syslogger: [^\n]+ must be fixed [^\n]+\n$/);
  });
});
