import { expect, test } from 'bun:test';
import { createServer } from 'node:net';
import { checkNumbered, numberedLine } from '../support/lines.ts';
import { sendLoad } from '../support/load.ts';
import { freePort, isListening } from '../support/ports.ts';
import { rss, start } from '../support/process.ts';
import { startProxy } from '../support/proxy.ts';
import { waitFor } from '../support/wait.ts';
import { request } from '../support/wire.ts';

const values = (numbers: number[]) => numbers.map((n) => Buffer.from(numberedLine(n)));

test('what is missing and what is repeated among numbered lines is found', () => {
  expect(checkNumbered(values([2, 0, 1]), 3)).toEqual({ missing: [], repeated: [] });
  expect(checkNumbered(values([2, 0, 2]), 4)).toEqual({ missing: [1, 3], repeated: [2] });
  expect(() => checkNumbered(values([3]), 3)).toThrow('nobody sent this');
});

test('the same number makes the same line, in both formats', () => {
  for (const format of ['rfc3164', 'rfc5424'] as const) {
    for (let n = 0; n < 1000; n++) {
      const line = numberedLine(n, format);
      expect(line).toBe(numberedLine(n, format));
      expect(line.length).toBeLessThan(400);
    }
  }
});

test('load arrives whole, at its rate', async () => {
  let received = '';
  const server = createServer((socket) => socket.on('data', (chunk) => (received += chunk)));
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { sent, ms } = await sendLoad({ port, count: 1000, rate: 5000 });
  await waitFor('all lines', () => received.split('\n').length === 1001);
  server.close();
  expect(sent).toBe(1000);
  expect(ms).toBeGreaterThan(150);
  const lines = received.trimEnd().split('\n');
  expect(
    checkNumbered(
      lines.map((line) => Buffer.from(line)),
      1000,
    ),
  ).toEqual({ missing: [], repeated: [] });
});

test('a process that ignores SIGTERM is killed after the deadline', async () => {
  const child = start('deaf', ['sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 1; done']);
  await child.waitForLine(/ready/);
  expect(rss(child.pid)).toBeGreaterThan(0);
  expect(await child.stop('SIGTERM', 100)).toEqual({ code: null, signal: 'SIGKILL' });
});

test('waiting for a line ends with the process that never wrote it', async () => {
  const child = start('short', ['sh', '-c', 'echo last words >&2; exit 3']);
  await expect(child.waitForLine(/never/)).rejects.toThrow('last words');
  expect(await child.exited).toEqual({ code: 3, signal: null });
});

test('the proxy loses an answer, a request, and a broker', async () => {
  const port = await freePort();
  // Answers each request with its own bytes: length, api key, version, correlation id, …
  const broker = createServer((socket) =>
    socket.on('data', (frame: Buffer) => {
      const answer = Buffer.from(frame);
      frame.copy(answer, 4, 8, 12);
      socket.write(answer);
    }),
  );
  await new Promise<void>((resolve) => broker.listen(port, '127.0.0.1', resolve));
  const proxy = await startProxy(port);
  const produce = () => request(proxy.port, 0, 9, Buffer.from('x'));

  await produce();
  const answer = proxy.loseNextAnswer();
  await expect(produce()).rejects.toThrow('closed');
  await answer;
  expect(proxy.forwarded.get(0)).toBe(2);

  const lost = proxy.loseNextRequest();
  await expect(produce()).rejects.toThrow('closed');
  await lost;
  expect(proxy.forwarded.get(0)).toBe(2);

  await proxy.refuse();
  expect(await isListening(proxy.port)).toBe(false);
  await proxy.accept();
  await produce();
  await proxy.close();
  broker.close();
});
