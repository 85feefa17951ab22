import { expect, onTestFinished, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { useCluster } from '../support/cluster.ts';
import { readTopic } from '../support/consume.ts';
import { expectCleanStop, startDaemon, waitForRecords } from '../support/delivery.ts';
import { ensureDebian } from '../support/install.ts';
import { checkNumbered } from '../support/lines.ts';
import { sendLoad } from '../support/load.ts';
import { freePort, waitForPort } from '../support/ports.ts';
import { start } from '../support/process.ts';
import { runSyslogger } from '../support/syslogger.ts';
import { tempDir } from '../support/temp.ts';
import { createTopic } from '../support/topics.ts';
import { which } from '../support/which.ts';

setDefaultTimeout(120_000);
const cluster = useCluster();

/** An rsyslogd with what a distribution sets up, and `action` as it is. */
async function startRsyslogdWith(action: string): Promise<number> {
  await ensureDebian(['rsyslogd', 'omrelp']);
  const dir = tempDir('rsyslogd');
  const port = await freePort();
  mkdirSync(join(dir, 'work'));
  mkdirSync(join(dir, 'rsyslog.d'));
  writeFileSync(join(dir, 'rsyslog.d/60-syslogger.conf'), action);
  writeFileSync(
    join(dir, 'rsyslog.conf'),
    [
      `global(workDirectory="${join(dir, 'work')}")`,
      'module(load="imptcp")',
      `input(type="imptcp" address="127.0.0.1" port="${port}")`,
      `include(file="${join(dir, 'rsyslog.d')}/*.conf")`,
      '',
    ].join('\n'),
  );
  const program = which('rsyslogd') ?? 'rsyslogd';
  const config = ['-f', join(dir, 'rsyslog.conf')];
  const check = start('rsyslogd-N1', [program, '-N1', ...config]);
  expect(await check.exited).toMatchObject({ code: 0 });
  expect(check.stderr()).not.toMatch(/error|warning/i);
  const child = start('rsyslogd', [program, '-n', ...config, '-i', join(dir, 'pid')]);
  onTestFinished(async () => void (await child.kill()));
  await waitForPort(port);
  return port;
}

for (const scheme of ['tcp', 'relp'] as const) {
  test(`${scheme}: what \`syslogger rsyslog\` prints is all that rsyslog needs, and holds while we are away`, async () => {
    const topic = `printed-${scheme}`;
    const broker = cluster.kafka.address;
    await createTopic(broker, { topic });
    const port = await freePort();
    const listen = ['--listen', `${scheme}://127.0.0.1:${port}`];
    const args = ['--brokers', broker, '--topic', topic, ...listen];
    const printed = await runSyslogger(['rsyslog', ...args]);
    expect(printed).toMatchObject({ code: 0, stderr: '' });

    const first = await startDaemon(args);
    const inputPort = await startRsyslogdWith(printed.stdout);
    await sendLoad({ port: inputPort, count: 1_000 });
    await waitForRecords(broker, topic, 1_000);
    await expectCleanStop(first, 1_000);
    await sendLoad({ port: inputPort, from: 1_000, count: 1_000 });
    await startDaemon(args);
    await waitForRecords(broker, topic, 2_000);

    const values = (await readTopic(broker, topic)).map(({ value }) => value);
    expect(checkNumbered(values, 2_000)).toMatchObject({ missing: [] });
    expect(JSON.parse(values[0]?.toString() ?? '')).toMatchObject({ hostname: 'web01' });
  });
}

test('of several ways in it takes the best that rsyslog speaks', async () => {
  const listen = [
    'unix:///run/x.sock',
    'udp://0.0.0.0:514',
    'tcp://0.0.0.0:1514',
    'relp://[::]:2514',
  ];
  const args = listen.flatMap((one) => ['--listen', one]);
  const { stdout } = await runSyslogger(['rsyslog', ...args]);
  expect(stdout).toInclude('type="omrelp" target="::1" port="2514"');
  expect(stdout).toInclude(
    '(It also listens at unix:///run/x.sock, udp://0.0.0.0:514, tcp://0.0.0.0:1514: one of them is enough.)',
  );
  expect(await runSyslogger(['rsyslog', '--listen', 'unix:///run/x.sock'])).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('not for unix sockets'),
  });
});
