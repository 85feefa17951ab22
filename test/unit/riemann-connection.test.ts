import { expect, test } from 'bun:test';
import { RiemannConnection } from '../../src/riemann/connection.ts';
import type { RiemannMessage } from '../../src/riemann/protocol.ts';
import { concat, cut, mutate } from '../support/mutate.ts';
import { randomNumbers } from '../support/random.ts';
import { OK, REFUSED, Script, type ScriptedStream } from '../support/riemann-stream.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20261011);
/** Longer than any test. */
const LONG = 60_000;

const bytewise = (bytes: Uint8Array) => [...bytes].map((byte) => Uint8Array.of(byte));

/** Makes a request of a server that does this with it. */
async function request(
  onRequest: (stream: ScriptedStream) => void,
  timeoutMs = LONG,
): Promise<{ answer: RiemannMessage | string; script: Script; connection: RiemannConnection }> {
  const script = new Script();
  script.onRequest = onRequest;
  const connection = await RiemannConnection.open(script.connect, LONG);
  const answer = await connection
    .request({ events: [{ service: 'a' }] }, timeoutMs)
    .catch(({ message }: Error) => message);
  // After a failure the stream is gone and so is the connection; else both are there.
  expect(script.streams[0].isDestroyed).toBe(typeof answer === 'string');
  expect(connection.isOpen).toBe(typeof answer !== 'string');
  return { answer, script, connection };
}

test('a request gets its answer, whole or byte by byte, and the next one too', async () => {
  const { answer, connection, script } = await request((stream) => stream.send(OK));
  expect(answer).toEqual({ ok: true });
  script.onRequest = (stream) => stream.send(...bytewise(REFUSED));
  expect(await connection.request({}, LONG)).toEqual({ ok: false, error: 'no' });
  script.onRequest = (stream) => stream.send(OK.subarray(0, 5), new Uint8Array(0), OK.subarray(5));
  expect(await connection.request({}, LONG)).toEqual({ ok: true });
  expect(script.requests).toEqual([[{ service: 'a' }], [], []]);
  connection.close();
  expect(connection.isOpen).toBe(false);
  expect(script.streams[0].isDestroyed).toBe(true);
});

const protocol = "it does not speak Riemann's protocol";
const failures: [what: string, onRequest: (stream: ScriptedStream) => void, message: string][] = [
  ['no answer', () => {}, 'no answer within 0.02 s'],
  ['half an answer', (stream) => stream.send(OK.subarray(0, 5)), 'no answer within 0.02 s'],
  [
    'FIN in an answer',
    (stream) => {
      stream.send(OK.subarray(0, 5));
      stream.handler.end();
    },
    'the server closed the connection',
  ],
  ['a broken stream', ({ handler }) => handler.closed(new Error('ECONNRESET')), 'ECONNRESET'],
  ['a closed stream', ({ handler }) => handler.closed(), 'connection closed'],
  [
    'another protocol',
    (stream) => stream.send(Buffer.from('HTTP/1.1 400 Bad Request')),
    `${protocol} (an answer of 1213486160 bytes)`,
  ],
  [
    'more than 64 KiB',
    (stream) => stream.send(Uint8Array.of(0, 1, 0, 1)),
    `${protocol} (an answer of 65537 bytes)`,
  ],
  [
    'an answer and more',
    (stream) => stream.send(concat([OK, Uint8Array.of(0)])),
    `${protocol} (it sent something unasked)`,
  ],
  [
    'no protocol buffer',
    (stream) => stream.send(Uint8Array.of(0, 0, 0, 2, 0x1a, 1)),
    `${protocol} (it ends too early)`,
  ],
  [
    'an empty answer',
    (stream) => stream.send(Uint8Array.of(0, 0, 0, 0)),
    `${protocol} (an answer without "ok")`,
  ],
];

for (const [what, onRequest, message] of failures) {
  test(`after ${what} the connection is closed, and says why`, async () => {
    const { answer, connection } = await request(onRequest, message.includes('0.02') ? 20 : LONG);
    expect(answer).toBe(message);
    await expect(connection.request({}, LONG)).rejects.toThrow(message);
  });
}

test('an answer of exactly 64 KiB is read', async () => {
  const answer = new Uint8Array(4 + 65_536);
  answer.set([0, 1, 0, 0, 0x10, 1, 0x1a, 0xfa, 0xff, 0x03]);
  const { answer: read } = await request((stream) => stream.send(...cut(answer, () => 3)));
  expect((read as RiemannMessage).error?.length).toBe(65_530);
});

test('what comes unasked, before or between answers, closes the connection', async () => {
  const { connection, script } = await request((stream) => stream.send(OK));
  script.streams[0].send(OK);
  expect(connection.isOpen).toBe(false);
  await expect(connection.request({}, LONG)).rejects.toThrow('unasked');

  script.onConnect = (stream) => {
    stream.handler.opened();
    stream.send(Buffer.from('220 mail ESMTP\r\n'));
  };
  const second = await RiemannConnection.open(script.connect, LONG);
  await expect(second.request({}, LONG)).rejects.toThrow('unasked');
  expect(script.streams[1].isDestroyed).toBe(true);
});

test('only one request is made at a time', async () => {
  const script = new Script();
  const connection = await RiemannConnection.open(script.connect, LONG);
  const first = connection.request({}, LONG);
  await expect(connection.request({}, LONG)).rejects.toThrow('on its way already');
  expect(await first).toEqual({ ok: true });
});

test('a connection that does not open says why, and is destroyed', async () => {
  const script = new Script();
  const open = (timeoutMs: number, signal?: AbortSignal) =>
    RiemannConnection.open(script.connect, timeoutMs, signal);
  script.onConnect = ({ handler }) => handler.closed(new Error('ECONNREFUSED'));
  await expect(open(LONG)).rejects.toThrow("can't connect: ECONNREFUSED");
  script.onConnect = () => {};
  await expect(open(20)).rejects.toThrow("can't connect: no answer within 0.02 s");
  const controller = new AbortController();
  const opening = open(LONG, controller.signal);
  controller.abort(new Error('no more'));
  await expect(opening).rejects.toThrow("can't connect: no more");
  await expect(open(LONG, controller.signal)).rejects.toThrow('no more');
  expect(script.streams.map(({ isDestroyed }) => isDestroyed)).toEqual([true, true, true]);

  const broken = () => {
    throw new Error('no such file');
  };
  await expect(RiemannConnection.open(broken, LONG)).rejects.toThrow("can't connect: no such file");
});

test('a stream may open within connect(), and fail there', async () => {
  const script = new Script();
  script.onConnect = () => {};
  const opened = await RiemannConnection.open((handler) => {
    handler.opened();
    return script.connect(handler);
  }, LONG);
  expect(await opened.request({}, LONG)).toEqual({ ok: true });

  const failed = RiemannConnection.open((handler) => {
    handler.end();
    return script.connect(handler);
  }, LONG);
  await expect(failed).rejects.toThrow('the server closed the connection');
  expect(script.streams[1].isDestroyed).toBe(true);
});

test(`10,000 broken answers, cut at random, are answers or errors (FUZZ_SEED=${SEED})`, async () => {
  const random = randomNumbers(SEED);
  for (let n = 0; n < 10_000; n++) {
    const answer = mutate(random(2) === 0 ? OK : REFUSED, random);
    const script = new Script();
    script.onRequest = (stream) => {
      stream.send(...cut(answer, random));
      stream.handler.end();
      // It is over; nothing that comes now counts.
      stream.send(OK);
    };
    const connection = await RiemannConnection.open(script.connect, LONG);
    const outcome = await connection.request({}, LONG).catch((error: Error) => error);
    if (outcome instanceof Error)
      expect(outcome.message).toMatch(/^it does not|^the server closed/);
    else expect(typeof outcome.ok).toBe('boolean');
    expect(script.streams[0].isDestroyed).toBe(true);
  }
});
