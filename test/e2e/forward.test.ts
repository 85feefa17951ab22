import { expect, test } from 'bun:test';
import { useCluster } from '../support/cluster.ts';
import { readTopic } from '../support/consume.ts';
import { checkNumbered } from '../support/lines.ts';
import { sendLoad } from '../support/load.ts';
import { startRsyslogd } from '../support/rsyslogd.ts';
import { runners, startSyslogger } from '../support/syslogger.ts';
import { createTopic } from '../support/topics.ts';

const COUNT = 20_000;

const cluster = useCluster({ chroot: '/kafka' });

for (const runner of runners) {
  test(`rsyslogd → syslogger (${runner}) → ZooKeeper → Kafka: each message once`, async () => {
    const topic = `forward-${runner}`;
    await createTopic(cluster.kafka.address, { topic, partitions: 3 });
    const args = ['--zookeeper', `${cluster.zookeeper.address}/kafka`, '--topic', topic];
    const syslogger = await startSyslogger({ runner, args, env: { TZ: 'UTC' } });
    const rsyslogd = await startRsyslogd({ target: { port: syslogger.port } });

    await sendLoad({ port: rsyslogd.inputPort, count: COUNT, connections: 4 });
    await rsyslogd.waitUntilQueueEmpty(COUNT);
    const { code, ledger } = await syslogger.stop();
    await rsyslogd.stop();

    const values = (await readTopic(cluster.kafka.address, topic)).map(({ value }) => value);
    expect(checkNumbered(values, COUNT)).toEqual({ missing: [], repeated: [] });
    const first = values.find((value) => value.includes('seq=1 ')) ?? Buffer.from('{}');
    expect(JSON.parse(first.toString())).toMatchObject({
      facility: 0,
      severity: 7,
      hostname: 'web02',
      appname: 'nginx',
      message: expect.stringMatching(/^seq=1 pam_unix\(cron:session\): session opened/),
    });
    expect(ledger).toContain(`received ${COUNT} = acknowledged ${COUNT} + in flight 0;`);
    expect(ledger).toContain('unparsed 0, parts 0');
    expect(code).toBe(0);
  });
}

test('octet-counted RFC 5424 from rsyslogd, and --format raw', async () => {
  const topic = 'forward-raw';
  await createTopic(cluster.kafka.address, { topic });
  const args = ['--brokers', cluster.kafka.address, '--topic', topic, '--format', 'raw'];
  const syslogger = await startSyslogger({ args });
  const target = {
    port: syslogger.port,
    framing: 'octet-counted',
    template: 'RSYSLOG_SyslogProtocol23Format',
  } as const;
  const rsyslogd = await startRsyslogd({ target });

  await sendLoad({ port: rsyslogd.inputPort, count: 500, format: 'rfc5424' });
  await rsyslogd.waitUntilQueueEmpty(500);
  expect((await syslogger.stop()).code).toBe(0);
  await rsyslogd.stop();

  const values = (await readTopic(cluster.kafka.address, topic)).map(({ value }) => value);
  expect(checkNumbered(values, 500)).toEqual({ missing: [], repeated: [] });
  for (const value of values) expect(value.toString()).toMatch(/^<\d{1,3}>1 2026-10-11T22:14:/);
});
