import { beforeAll, describe, expect, onTestFinished, setDefaultTimeout, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { adminAt } from '../support/admin.ts';
import { useCluster } from '../support/cluster.ts';
import { startDaemon } from '../support/delivery.ts';
import { ensureDebian } from '../support/install.ts';
import { sendLoad } from '../support/load.ts';
import { freePort } from '../support/ports.ts';
import type { ReceivedEvent } from '../support/protoc.ts';
import { type RiemannServer, startRiemannServer } from '../support/riemann-server.ts';
import { createTopic } from '../support/topics.ts';
import { waitFor } from '../support/wait.ts';

setDefaultTimeout(120_000);
const cluster = useCluster();

beforeAll(() => ensureDebian(['protoc']));

const INTERVAL = 0.5;

/** A daemon that forwards to a new topic and reports to the server. */
async function start(topic: string, riemann: RiemannServer, ...args: string[]) {
  onTestFinished(() => riemann.stop());
  await createTopic(cluster.kafka.address, { topic });
  const port = await freePort();
  const syslogger = await startDaemon([
    ...['--brokers', cluster.kafka.address, '--topic', topic],
    ...['--riemann', `127.0.0.1:${riemann.port}`, '--riemann-interval', String(INTERVAL)],
    ...['--admin', `127.0.0.1:${port}`, ...args],
  ]);
  return { syslogger, admin: adminAt(port) };
}

/** The last event of each service. */
function lastOf(riemann: RiemannServer): Map<string, ReceivedEvent> {
  return new Map(riemann.events().map((event) => [event.service ?? '', event]));
}

test('every event as protoc reads it, and its value is the ledger’s', async () => {
  const riemann = await startRiemannServer();
  const { syslogger } = await start('reported', riemann);
  await sendLoad({ port: syslogger.port, count: 5_000 });
  await waitFor('all is reported', () => {
    const total = lastOf(riemann).get('syslogger messages acknowledged total');
    return Number(total?.metric_sint64 ?? 0) === 5_000;
  });
  const { code, ledger } = await syslogger.stop();
  expect(code).toBe(0);

  const events = lastOf(riemann);
  for (const event of riemann.events()) {
    expect(event).toMatchObject({
      host: hostname(),
      tags: ['syslogger'],
      attributes: { topic: 'reported', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) },
    });
    const isLast = event.state === 'stopped';
    expect(event.ttl).toBe(isLast ? 7 * 86_400 : 2 * INTERVAL);
    expect(Math.abs(Number(event.time) - Date.now() / 1000)).toBeLessThan(60);
  }
  const [, bytes = ''] = /bytes (\d+),/.exec(ledger) ?? [];
  const total = (name: string) => events.get(`syslogger ${name} total`)?.metric_sint64;
  expect({
    ledger: `received ${total('messages received')} = acknowledged ${total('messages acknowledged')}`,
    unparsed: Number(total('messages unparsed')),
    parts: Number(total('messages in parts')),
    bytes: String(total('received bytes')),
    connections: Number(total('connections accepted')),
    open: Number(events.get('syslogger connections')?.metric_sint64),
    unacknowledged: Number(events.get('syslogger unacknowledged messages')?.metric_sint64),
  }).toEqual({
    ledger: 'received 5000 = acknowledged 5000',
    unparsed: 0,
    parts: 0,
    bytes,
    connections: 1,
    open: 0,
    unacknowledged: 0,
  });
  for (const name of ['p50', 'p99', 'max']) {
    const seconds = events.get(`syslogger produce latency seconds ${name}`)?.metric_d ?? 0;
    expect(seconds).toBeGreaterThan(0.000_1);
    expect(seconds).toBeLessThan(10);
  }
  const last = riemann.events().at(-1);
  expect(last).toMatchObject({ service: 'syslogger kafka', state: 'stopped' });
  expect(ledger).toInclude(last?.description ?? 'nothing');
});

test('the README lists every service, and no other', async () => {
  const riemann = await startRiemannServer();
  const listen = ['tcp', 'udp'].flatMap((scheme) => ['--listen', `${scheme}://127.0.0.1:0`]);
  const { syslogger } = await start('listed', riemann, ...listen);
  await sendLoad({ port: syslogger.port, count: 10 });
  await waitFor('rates', () => lastOf(riemann).has('syslogger messages received rate'));
  await syslogger.stop();
  // Those of the listeners end in their addresses.
  const names = [...lastOf(riemann).keys()].map((name) => name.replace(/ (tcp|udp):\S+$/, ''));
  const sent = [...new Set(names)].sort();
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const [, section = ''] = /### Metrics\n(.*?)\n## /s.exec(readme) ?? [];
  const rows = [...section.matchAll(/^\| `([a-z_]+)` \| ([^|]*) \|/gm)];
  const listed = rows.flatMap(([, , services = '']) =>
    [...services.matchAll(/`([^`]+)`/g)].map(([, service = '']) => service),
  );
  expect([...listed, 'syslogger kafka'].sort()).toEqual(sent);
});

test('the state goes from ok to warning to critical while Kafka stalls, and back', async () => {
  const riemann = await startRiemannServer();
  const { syslogger } = await start('states', riemann);
  const states = () =>
    riemann
      .events()
      .filter(({ service }) => service === 'syslogger kafka')
      .map(({ state, description }) => ({ state, description }));
  const reached = (state: string) =>
    waitFor(state, () => states().at(-1)?.state === state, { timeoutMs: 60_000, everyMs: 500 });
  await reached('ok');
  onTestFinished(() => cluster.kafka.resume());
  cluster.kafka.pause();
  await sendLoad({ port: syslogger.port, count: 100 });
  await reached('warning');
  await reached('critical');
  const critical = states().at(-1);
  expect(critical?.description).toMatch(/^nothing acknowledged for 3\d s, messages waiting: 100: /);
  cluster.kafka.resume();
  await reached('ok');
  expect((await syslogger.stop()).code).toBe(0);
  const seen = states().map(({ state }) => state);
  expect(seen.filter((state, i) => state !== seen[i - 1])).toEqual([
    'ok',
    'warning',
    'critical',
    'ok',
    'stopped',
  ]);
});

test('a stop that leaves something is no clean one: critical, and it may expire', async () => {
  const riemann = await startRiemannServer();
  const { syslogger } = await start('left', riemann, '--drain-timeout', '1');
  onTestFinished(() => cluster.kafka.resume());
  cluster.kafka.pause();
  await sendLoad({ port: syslogger.port, count: 100 });
  expect((await syslogger.stop()).code).toBe(1);
  cluster.kafka.resume();
  expect(riemann.events().at(-1)).toMatchObject({
    service: 'syslogger kafka',
    state: 'critical',
    ttl: 2 * INTERVAL,
    description: expect.stringContaining('received 100 = acknowledged 0 + in flight 100;'),
  });
});

describe('Riemann is away', () => {
  test('a stop does not wait for a server that is gone, nor long for one that hangs', async () => {
    const riemann = await startRiemannServer();
    const gone = await start('gone-riemann', riemann);
    await riemann.stop();
    await sendLoad({ port: gone.syslogger.port, count: 10 });
    expect(await gone.syslogger.stop()).toMatchObject({ code: 0 });

    await riemann.start();
    riemann.setMode('silent');
    const hanging = await start('hanging-riemann', riemann);
    await sendLoad({ port: hanging.syslogger.port, count: 10 });
    const { code, ledger } = await hanging.syslogger.stop();
    expect(code).toBe(0);
    expect(ledger).toInclude('received 10 = acknowledged 10 + in flight 0;');
  });
});
