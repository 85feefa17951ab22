import { beforeAll, expect, test } from 'bun:test';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { RiemannClient } from '../../src/riemann/client.ts';
import type { Connect } from '../../src/riemann/connection.ts';
import { decodeMessage, encodeMessage, type RiemannEvent } from '../../src/riemann/protocol.ts';
import { run } from '../support/command.ts';
import { ensureDebian } from '../support/install.ts';
import { decodeWithProtoc, encodeWithProtoc, type ReceivedEvent } from '../support/protoc.ts';
import { randomNumbers } from '../support/random.ts';
import { randomEvent } from '../support/riemann-events.ts';
import { startRiemannServer } from '../support/riemann-server.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20261011);

beforeAll(() => ensureDebian(['protoc', 'riemann-client', 'openssl']), 300_000);

test('protoc decodes what we encode', () => {
  const random = randomNumbers(SEED);
  const events = Array.from({ length: 2_000 }, () => randomEvent(random));
  const decoded = decodeWithProtoc(encodeMessage({ ok: false, error: 'naïve "😀"\n', events }));
  expect(decoded.ok).toBe(false);
  expect(decoded.error).toBe('naïve "😀"\n');
  // It prints no more digits of a float than tell it from others.
  for (const event of decoded.events) if (event.ttl) event.ttl = Math.fround(event.ttl);
  expect(decoded.events).toEqual(events.map(asReceived));
});

test('we decode what protoc encodes', () => {
  const random = randomNumbers(SEED + 1);
  const events = Array.from({ length: 2_000 }, () => randomEvent(random));
  const text = `ok: true error: ${quote('naïve "😀"\n')} ${events.map(asText).join(' ')}`;
  expect(decodeMessage(encodeWithProtoc(text))).toEqual({
    ok: true,
    error: 'naïve "😀"\n',
    events,
  });
  const float = encodeWithProtoc('events { metric_f: 1.5 }');
  expect(decodeMessage(float)).toEqual({ events: [{ metric: 1.5 }] });
});

test('we decode what riemann-c-client sends', async () => {
  const server = await startRiemannServer();
  const send = (...options: string[]) =>
    run(['riemann-client', 'send', ...options, '127.0.0.1', String(server.port)]);
  const options = ['-h', 'web01', '-S', 'naïve 😀', '-s', 'ok', '-D', 'text', '-L', '1.5'];
  await send(...options, '-t', 'a', '-t', 'b', '-a', 'key=value', '-i', '-12345678901');
  await send('-d', '-0.25');
  await send('-f', '0.5');
  const [whole, double, float] = server.received.map(decodeMessage);
  expect(whole.events).toMatchObject([
    {
      host: 'web01',
      service: 'naïve 😀',
      state: 'ok',
      description: 'text',
      ttl: 1.5,
      tags: ['a', 'b'],
      attributes: { key: 'value' },
      metric: -12_345_678_901,
    },
  ]);
  expect(double.events).toMatchObject([{ metric: -0.25 }]);
  expect(float.events).toMatchObject([{ metric: 0.5 }]);
  await server.stop();
});

test('the client sends over TCP, and again after refusals, silence and a restart', async () => {
  const server = await startRiemannServer();
  const log: string[] = [];
  const client = new RiemannClient({
    connect: overTcp(server.port),
    timeoutMs: 200,
    onProblem: (message) => log.push(message),
    onRecovered: () => log.push('recovered'),
  });
  const send = (metric: number) => client.send([{ service: 'n', metric }]);
  const sent = (count: number) => waitFor('not sent', () => client.counts.sent === count);

  send(1);
  await sent(1);
  server.setMode('error', 'no room');
  send(2);
  await waitFor('not refused', () => client.counts.refused === 1);
  server.setMode('silent');
  send(3);
  await waitFor('no failure', () => client.counts.failures === 1);
  server.setMode('answer');
  await sent(2);
  await server.stop();
  send(4);
  await waitFor('no failure', () => log.some((line) => line.startsWith("can't connect: ")));
  await server.start();
  await sent(3);
  await client.close(5_000);

  expect(server.events().map(({ metric_sint64 }) => metric_sint64)).toEqual([1, 2, 3, 3, 4]);
  expect(log.slice(0, 3)).toEqual([
    'the server refused events: no room',
    'no answer within 0.2 s',
    'recovered',
  ]);
  expect(log.at(-1)).toBe('recovered');
  await server.stop();
});

test('the test server speaks TLS, and may want a certificate', async () => {
  const dir = tempDir('tls');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', `${dir}/key`, '-out', `${dir}/cert`];
  await run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...subject]);
  const key = await Bun.file(`${dir}/key`).text();
  const cert = await Bun.file(`${dir}/cert`).text();
  const server = await startRiemannServer({ tls: { key, cert, ca: cert, requestCert: true } });

  const client = new RiemannClient({ connect: overTls(server.port, { ca: cert, key, cert }) });
  client.send([{ service: 'known' }]);
  await client.close(5_000);
  expect(client.counts.sent).toBe(1);

  const stranger = new RiemannClient({ connect: overTls(server.port, { ca: cert }) });
  stranger.send([{ service: 'unknown' }]);
  await stranger.close(5_000);
  expect(stranger.counts).toEqual({ sent: 0, dropped: 1, refused: 0, failures: 1 });
  expect(server.events().map(({ service }) => service)).toEqual(['known']);
  await server.stop();
});

function overTcp(port: number): Connect {
  return wire((onOpen) => connectTcp({ port, host: '127.0.0.1' }, onOpen));
}

function overTls(port: number, tls: { ca: string; key?: string; cert?: string }): Connect {
  return wire((onOpen) => connectTls({ ...tls, port, host: '127.0.0.1' }, onOpen));
}

function wire(open: (onOpen: () => void) => ReturnType<typeof connectTcp>): Connect {
  return (handler) => {
    let error: Error | undefined;
    const socket = open(() => handler.opened());
    socket.on('data', (bytes: Buffer) => handler.data(bytes));
    socket.on('end', () => handler.end());
    socket.on('error', (cause) => {
      error = cause;
    });
    socket.on('close', () => handler.closed(error));
    return {
      write: (bytes) => socket.write(bytes),
      destroy: () => socket.destroy(),
    };
  };
}

/** The event as protoc should find it. */
function asReceived(event: RiemannEvent): ReceivedEvent {
  const { timeMicros, metric, ...rest } = event;
  const isInteger = Number.isSafeInteger(metric);
  return {
    ...rest,
    tags: [...(event.tags ?? [])],
    attributes: { ...event.attributes },
    ...(timeMicros !== undefined && { time_micros: timeMicros }),
    ...(metric !== undefined && { [isInteger ? 'metric_sint64' : 'metric_d']: metric }),
  };
}

/** The event in protoc's text format. */
function asText(event: RiemannEvent): string {
  const { tags, attributes, ...singles } = asReceived(event);
  const fields = Object.entries(singles).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? quote(value) : value}`,
  );
  for (const tag of tags) fields.push(`tags: ${quote(tag)}`);
  for (const [key, value] of Object.entries(attributes)) {
    fields.push(`attributes { key: ${quote(key)} value: ${quote(value)} }`);
  }
  return `events { ${fields.join(' ')} }`;
}

/** Every byte in octal. */
function quote(text: string): string {
  const octal = [...Buffer.from(text)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`);
  return `"${octal.join('')}"`;
}
