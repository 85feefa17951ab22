import { expect, spyOn, test } from 'bun:test';
import { Backoff } from '../../src/riemann/backoff.ts';
import { RiemannClient, type RiemannClientOptions } from '../../src/riemann/client.ts';
import type { RiemannEvent } from '../../src/riemann/protocol.ts';
import { OK, REFUSED, Script, type ScriptedStream } from '../support/riemann-stream.ts';
import { sleep, waitFor } from '../support/wait.ts';

/** Longer than any test. */
const LONG = 60_000;

const events = (from: number, to: number): RiemannEvent[] =>
  Array.from({ length: to - from }, (_, i) => ({ metric: from + i }));

const metrics = (sent: RiemannEvent[]) => sent.map(({ metric }) => metric);
const numbers = (from: number, to: number) => metrics(events(from, to));

function setUp(options: Partial<RiemannClientOptions> = {}) {
  const script = new Script();
  const log: string[] = [];
  const client = new RiemannClient({
    connect: script.connect,
    timeoutMs: LONG,
    onProblem: (message) => log.push(message),
    onRecovered: () => log.push('recovered'),
    ...options,
  });
  const idle = () => waitFor('the queue is not empty', () => client.queued === 0);
  return { script, client, log, idle };
}

/** Cuts the connection instead of answering, and answers again from then on. */
function loseOnce(script: Script): void {
  script.onRequest = (stream) => {
    script.onRequest = (next) => next.send(OK);
    stream.handler.end();
  };
}

test('events go in order over one connection, opened with the first', async () => {
  const { script, client, log, idle } = setUp({ maxQueuedEvents: 2_000 });
  expect(script.streams.length).toBe(0);
  client.send([]);
  expect(script.streams.length).toBe(0);
  client.send(events(0, 1));
  client.send(events(1, 1_200));
  expect(client.queued).toBe(1_200);
  await idle();
  client.send(events(1_200, 1_203));
  await idle();
  expect(script.requests.map(({ length }) => length)).toEqual([500, 500, 200, 3]);
  expect(metrics(script.requests.flat())).toEqual(numbers(0, 1_203));
  expect(client.counts).toEqual({ sent: 1_203, dropped: 0, refused: 0, failures: 0 });
  expect(script.streams.length).toBe(1);
  expect(log).toEqual([]);
  await client.close(LONG);
  expect(script.streams[0].isDestroyed).toBe(true);
});

test('one message is on its way at a time', async () => {
  const { script, client, idle } = setUp();
  const waiting: ScriptedStream[] = [];
  script.onRequest = (stream) => waiting.push(stream);
  client.send(events(0, 1));
  await waitFor('no message', () => waiting.length === 1);
  client.send(events(1, 3));
  client.send(events(3, 4));
  await sleep(5);
  expect(metrics(script.requests.flat())).toEqual([0]);
  expect(client.queued).toBe(4);
  script.onRequest = (stream) => stream.send(OK);
  waiting[0].send(OK);
  await idle();
  expect(script.requests.map(metrics)).toEqual([[0], [1, 2, 3]]);
});

test('what was not answered is sent again, before what came later', async () => {
  const { script, client, log, idle } = setUp();
  loseOnce(script);
  client.send(events(0, 3));
  await waitFor('no failure', () => client.counts.failures === 1);
  client.send(events(3, 5));
  await idle();
  expect(script.requests.map(metrics)).toEqual([
    [0, 1, 2],
    [0, 1, 2, 3, 4],
  ]);
  expect(client.counts).toEqual({ sent: 5, dropped: 0, refused: 0, failures: 1 });
  expect(log).toEqual(['the server closed the connection', 'recovered']);
  expect(script.streams.map(({ isDestroyed }) => isDestroyed)).toEqual([true, false]);
  client.send(events(5, 6));
  await idle();
  expect(log.length).toBe(2);
});

test('waits after failures grow to 30 s, and are short again after a success', () => {
  const timers = spyOn(globalThis, 'setTimeout');
  const backoff = new Backoff();
  const nextWait = () => {
    backoff.wait();
    backoff.endWait();
    return Number(timers.mock.lastCall?.[1]);
  };
  try {
    for (const longest of [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      const wait = nextWait();
      expect(wait).toBeGreaterThanOrEqual(longest / 2);
      expect(wait).toBeLessThanOrEqual(longest);
    }
    backoff.reset();
    expect(nextWait()).toBeLessThanOrEqual(250);
  } finally {
    timers.mockRestore();
  }
});

test('an answer makes the waits short again', async () => {
  const { script, client, idle } = setUp();
  const timers = spyOn(globalThis, 'setTimeout');
  try {
    for (const n of [0, 1, 2]) {
      loseOnce(script);
      client.send(events(n, n + 1));
      await idle();
    }
    const waits = timers.mock.calls.map(([, ms]) => Number(ms)).filter((ms) => ms > 100);
    expect(waits.filter((ms) => ms < LONG).length).toBe(3);
    for (const ms of waits) if (ms < LONG) expect(ms).toBeLessThanOrEqual(250);
  } finally {
    timers.mockRestore();
  }
});

test('it connects again after a failure to connect, and after no answer', async () => {
  const { script, client, log, idle } = setUp({ timeoutMs: 20 });
  script.onConnect = (stream) => {
    script.onConnect = ({ handler }) => handler.opened();
    stream.handler.closed(new Error('ECONNREFUSED'));
  };
  script.onRequest = () => {
    script.onRequest = (stream) => stream.send(OK);
  };
  client.send(events(0, 1));
  await idle();
  expect(log).toEqual(["can't connect: ECONNREFUSED", 'no answer within 0.02 s', 'recovered']);
  expect(client.counts).toEqual({ sent: 1, dropped: 0, refused: 0, failures: 2 });
});

test('what the server refuses is not sent again', async () => {
  const { script, client, log, idle } = setUp();
  script.onRequest = (stream) => {
    script.onRequest = (next) => next.send(OK);
    stream.send(REFUSED);
  };
  client.send(events(0, 501));
  await idle();
  expect(script.requests.map(({ length }) => length)).toEqual([500, 1]);
  expect(client.counts).toEqual({ sent: 1, dropped: 0, refused: 500, failures: 0 });
  expect(log).toEqual(['the server refused events: no', 'recovered']);
  expect(script.streams.length).toBe(1);
});

test('of more events than it may keep, the oldest are thrown away', async () => {
  const { script, client, idle } = setUp({ maxQueuedEvents: 10 });
  const opening: ScriptedStream[] = [];
  script.onConnect = (stream) => opening.push(stream);
  for (let n = 0; n < 25; n++) client.send(events(n, n + 1));
  client.send(events(25, 60));
  expect(client.queued).toBe(10);
  expect(client.counts.dropped).toBe(50);
  await waitFor('no connection', () => opening.length === 1);
  opening[0].handler.opened();
  await idle();
  expect(script.requests.map(metrics)).toEqual([numbers(50, 60)]);
  expect(client.counts).toEqual({ sent: 10, dropped: 50, refused: 0, failures: 0 });
});

test('events that come back are thrown away for those that came meanwhile', async () => {
  const { script, client, idle } = setUp({ maxQueuedEvents: 4 });
  const waiting: ScriptedStream[] = [];
  script.onRequest = (stream) => waiting.push(stream);
  client.send(events(0, 3));
  await waitFor('no message', () => waiting.length === 1);
  client.send(events(3, 6));
  expect(client.queued).toBe(6);
  script.onRequest = (stream) => stream.send(OK);
  waiting[0].handler.closed(new Error('ECONNRESET'));
  await waitFor('no failure', () => client.counts.failures === 1);
  expect(client.queued).toBe(4);
  await idle();
  expect(script.requests.map(metrics)).toEqual([
    [0, 1, 2],
    [2, 3, 4, 5],
  ]);
  expect(client.counts).toEqual({ sent: 4, dropped: 2, refused: 0, failures: 1 });
});

test('an idle connection may be closed by the server', async () => {
  const { script, client, log, idle } = setUp();
  client.send(events(0, 1));
  await idle();
  script.streams[0].handler.end();
  client.send(events(1, 2));
  await idle();
  expect(script.streams.length).toBe(2);
  expect(log).toEqual([]);
  expect(client.counts).toEqual({ sent: 2, dropped: 0, refused: 0, failures: 0 });
});

test('an event that comes at any moment around an answer is sent', async () => {
  for (let turns = 0; turns < 30; turns++) {
    const { script, client, idle } = setUp();
    let sentMore = false;
    script.onRequest = (stream) => {
      stream.send(OK);
      if (sentMore) return;
      sentMore = true;
      const later = (left: number) => {
        if (left === 0) client.send(events(1, 2));
        else queueMicrotask(() => later(left - 1));
      };
      later(turns);
    };
    client.send(events(0, 1));
    await waitFor('nothing more was sent', () => client.counts.sent === 2, { timeoutMs: 1_000 });
    await idle();
  }
});

test('closing sends what is queued', async () => {
  const { script, client, log } = setUp();
  client.send(events(0, 700));
  await client.close(LONG);
  expect(metrics(script.requests.flat())).toEqual(numbers(0, 700));
  expect(client.counts).toEqual({ sent: 700, dropped: 0, refused: 0, failures: 0 });
  expect(script.streams.map(({ isDestroyed }) => isDestroyed)).toEqual([true]);
  client.send(events(700, 702));
  await client.close(LONG);
  expect(client.counts.dropped).toBe(2);
  expect(client.queued).toBe(0);
  expect(script.streams.length).toBe(1);
  expect(log).toEqual([]);
});

test('closing a client that was never used opens nothing', async () => {
  const { script, client } = setUp();
  await client.close(LONG);
  expect(script.streams.length).toBe(0);
});

test('closing tries once when the server is away, and waits for nothing', async () => {
  const { script, client, log } = setUp();
  script.onConnect = ({ handler }) => handler.closed(new Error('ECONNREFUSED'));
  client.send(events(0, 3));
  await client.close(LONG);
  expect(client.counts).toEqual({ sent: 0, dropped: 3, refused: 0, failures: 1 });
  expect(script.streams.length).toBe(1);
  expect(log).toEqual(["can't connect: ECONNREFUSED"]);
});

test('closing ends the wait after a failure with one last try', async () => {
  for (const comesBack of [true, false]) {
    const { script, client } = setUp();
    script.onConnect = ({ handler }) => handler.closed(new Error('ECONNREFUSED'));
    client.send(events(0, 3));
    // Each wait is longer than the one before it, and this one longer than the deadline below.
    await waitFor('no failures', () => client.counts.failures === 3);
    if (comesBack) script.onConnect = ({ handler }) => handler.opened();
    await client.close(400);
    expect(script.streams.length).toBe(4);
    expect(client.counts.sent).toBe(comesBack ? 3 : 0);
    expect(client.counts.dropped).toBe(comesBack ? 0 : 3);
  }
});

test('closing waits for a server that hangs no longer than it may', async () => {
  for (const where of ['onConnect', 'onRequest'] as const) {
    const { script, client, log } = setUp();
    script[where] = () => {};
    client.send(events(0, 600));
    await client.close(20);
    expect(client.counts).toEqual({ sent: 0, dropped: 600, refused: 0, failures: 1 });
    expect(client.queued).toBe(0);
    expect(log.length).toBe(1);
    expect(log[0]).toContain('no answer within 0.02 s');
    expect(script.streams.map(({ isDestroyed }) => isDestroyed)).toEqual([true]);
  }
});
