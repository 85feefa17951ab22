import { expect, onTestFinished, setDefaultTimeout, test } from 'bun:test';
import { createSocket } from 'node:dgram';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { adminAt } from '../support/admin.ts';
import { run } from '../support/command.ts';
import { startDaemon } from '../support/delivery.ts';
import { documentsOf, waitForDocuments } from '../support/documents.ts';
import { openFifo } from '../support/fifo.ts';
import { ensureDebian } from '../support/install.ts';
import { freePort } from '../support/ports.ts';
import { type Syslogger, startSyslogger } from '../support/syslogger.ts';
import { tempDir } from '../support/temp.ts';
import { sleep, waitFor } from '../support/wait.ts';

setDefaultTimeout(60_000);
await ensureDebian(['logger', 'socat']);

const sockets = tempDir('sockets');

function listen(...endpoints: string[]): Promise<Syslogger> {
  return startDaemon(['--stdout', ...endpoints.flatMap((one) => ['--listen', one])]);
}

/** Sends datagrams to a port of 127.0.0.1, as fast as it goes. */
async function send(port: number, datagrams: (string | Uint8Array)[]): Promise<void> {
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  for (const datagram of datagrams) {
    await new Promise<void>((resolve) => socket.send(datagram, port, '127.0.0.1', () => resolve()));
  }
}

test('udp: each datagram is a message, from none to the largest', async () => {
  const daemon = await listen('udp://127.0.0.1:0');
  const largest = `<13>app: ${'x'.repeat(65_507 - 9)}`;
  await send(daemon.port, [
    '<13>app: one',
    '<13>app: two\n',
    '',
    '<13>app: line\nends\n',
    '<13>app: zero\0',
    largest,
  ]);
  const documents = await waitForDocuments(daemon, 5);
  expect(documents.map(({ message }) => message)).toEqual([
    'one',
    'two',
    'line\nends',
    'zero',
    largest.slice(9),
  ]);
  expect((await daemon.stop()).code).toBe(0);
});

test('udp: a message that is too long goes in parts', async () => {
  const daemon = await startDaemon([
    ...['--stdout', '--listen', 'udp://127.0.0.1:0'],
    ...['--max-message-bytes', '100', '--format', 'raw'],
  ]);
  const long = `<13>app: ${'0123456789'.repeat(100)}`;
  await send(daemon.port, [long, '<13>app: next']);
  await waitFor('all', () => daemon.stdout().endsWith('next\n'));
  expect(daemon.stdout().split('\n').slice(0, -2).join('')).toBe(long);
});

test('udp: while nothing is delivered memory is flat, and what is lost is counted and said', async () => {
  const port = await freePort();
  const fifo = await openFifo();
  const daemon = await startDaemon(
    [
      ...['--stdout', '--listen', 'udp://127.0.0.1:0', '--admin', `127.0.0.1:${port}`],
      ...['--datagram-buffer', '100000', '--max-unacknowledged', '65536'],
    ],
    { fifo: fifo.path },
  );
  const before = daemon.rss();
  const count = 4_000;
  const datagrams = Array.from({ length: count }, (_, n) => `<13>app: ${n} ${'x'.repeat(20_000)}`);
  await send(daemon.port, datagrams);
  expect(daemon.rss() - before).toBeLessThan(60 * 1024 * 1024);
  const label = `{listener="udp://127.0.0.1:${daemon.port}"}`;
  const lost = async () =>
    (await adminAt(port).metrics()).get(`syslogger_listener_datagrams_lost_total${label}`) ?? 0;
  expect(await lost()).toBeGreaterThan(count / 2);
  await daemon.waitForLog(/udp:\/\/127\.0\.0\.1:\d+: datagrams lost \d+, in all \d+: /);

  let lines = 0;
  let isOver = false;
  const stopped = daemon.stop().finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const bytes = fifo.read();
    if (bytes.length === 0) await sleep(1);
    for (const byte of bytes) if (byte === 0x0a) lines += 1;
  }
  for (const byte of fifo.read()) if (byte === 0x0a) lines += 1;
  fifo.close();
  const { code, ledger } = await stopped;
  expect(code).toBe(0);
  expect(ledger).toContain(`received ${lines} = acknowledged ${lines} + in flight 0;`);
  const said = [...daemon.stderr().matchAll(/datagrams lost \d+, in all (\d+): /g)].at(-1)?.[1];
  expect(lines + Number(said)).toBe(count);
});

test('udp: what waits in the kernel when it is stopped is forwarded', async () => {
  const daemon = await listen('udp://127.0.0.1:0');
  daemon.pause();
  await send(
    daemon.port,
    Array.from({ length: 50 }, (_, n) => `<13>app: ${n}`),
  );
  daemon.child.signal('SIGTERM');
  daemon.resume();
  expect((await daemon.child.exited).code).toBe(0);
  expect(documentsOf(daemon).length).toBe(50);
});

test('logger(1) over UDP, TCP and both kinds of unix sockets', async () => {
  const [stream, datagrams] = [join(sockets, 'stream'), join(sockets, 'datagrams')];
  const daemon = await listen(
    'udp://127.0.0.1:0',
    'tcp://127.0.0.1:0',
    `unix://${stream}`,
    `unix-dgram://${datagrams}`,
  );
  const server = ['--server', '127.0.0.1', '--port'];
  await run(['logger', '--udp', ...server, String(daemon.portOf('udp')), 'over udp']);
  await waitForDocuments(daemon, 1);
  const tcp = String(daemon.portOf('tcp'));
  await run(['logger', '--tcp', '--octet-count', ...server, tcp, 'over tcp']);
  await waitForDocuments(daemon, 2);
  await run(['logger', '-u', stream, 'over a stream']);
  await waitForDocuments(daemon, 3);
  await run(['logger', '-u', datagrams, 'in a datagram']);
  const documents = await waitForDocuments(daemon, 4);
  expect(documents.map(({ message }) => message)).toEqual([
    'over udp',
    'over tcp',
    'over a stream',
    'in a datagram',
  ]);
  expect(documents.every(({ error }) => error === undefined)).toBe(true);
  expect((await daemon.stop()).code).toBe(0);
  expect([stream, datagrams].map(existsSync)).toEqual([false, false]);
});

for (const scheme of ['unix', 'unix-dgram'] as const) {
  test(`${scheme}: permissions and owner are as asked for, and a file that was left is replaced`, async () => {
    const path = join(sockets, scheme);
    const start = () =>
      startDaemon([
        ...['--stdout', '--listen', `${scheme}://${path}`],
        ...['--unix-mode', '0622', '--unix-owner', 'nobody'],
      ]);
    const first = await start();
    const { mode, uid } = statSync(path);
    expect({ mode: mode & 0o777, uid }).toEqual({ mode: 0o622, uid: 65_534 });
    await first.kill();
    expect(existsSync(path)).toBe(true);
    const second = await start();
    await run(['logger', '-u', path, 'to the second']);
    expect((await waitForDocuments(second, 1))[0]?.message).toBe('to the second');

    const third = await startSyslogger({
      args: ['--stdout', '--listen', `${scheme}://${path}`],
      dontWait: true,
    });
    expect(await third.child.exited).toMatchObject({ code: 78 });
    expect(third.stderr()).toContain(`can't listen on ${scheme}://${path}: it is taken`);
    await run(['logger', '-u', path, 'still to the second']);
    await waitForDocuments(second, 2);
    expect((await second.stop()).code).toBe(0);
  });

  test(`${scheme}: a file that is no socket is left alone`, async () => {
    const path = join(sockets, `${scheme}-file`);
    writeFileSync(path, 'mine');
    chmodSync(path, 0o600);
    const daemon = await startSyslogger({
      args: ['--stdout', '--listen', `${scheme}://${path}`],
      dontWait: true,
    });
    expect(await daemon.child.exited).toMatchObject({ code: 78 });
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });
}

test('unix-dgram: a sender waits while nothing is delivered, and nothing is lost', async () => {
  const path = join(sockets, 'held');
  const fifo = await openFifo();
  const daemon = await startDaemon(
    ['--stdout', '--listen', `unix-dgram://${path}`, '--max-unacknowledged', '65536'],
    { fifo: fifo.path },
  );
  const lines = join(sockets, 'lines');
  const count = 20_000;
  writeFileSync(
    lines,
    Array.from({ length: count }, (_, n) => `<13>app: ${n} ${'x'.repeat(100)}\n`).join(''),
  );
  // Without a prompt or an end, each line is a datagram.
  const logger = run(['logger', '-u', path, '-p', 'user.notice', '-f', lines]);
  let isSent = false;
  logger.finally(() => {
    isSent = true;
  });
  await sleep(1_500);
  expect(isSent).toBe(false);
  let read = 0;
  while (read < count) {
    const bytes = fifo.read();
    if (bytes.length === 0) await sleep(1);
    for (const byte of bytes) if (byte === 0x0a) read += 1;
  }
  await logger;
  fifo.close();
  expect(read).toBe(count);
  await daemon.kill();
});

test('what a runtime can’t do is refused by name at the start', async () => {
  for (const runner of ['node', 'deno'] as const) {
    const daemon = await startSyslogger({
      runner,
      args: ['--stdout', '--listen', `unix-dgram://${join(sockets, runner)}`],
      dontWait: true,
    });
    expect(await daemon.child.exited).toMatchObject({ code: 78 });
    expect(daemon.stderr()).toContain(`${runner} has no unix datagram sockets`);
  }
});
