import { beforeAll, expect, onTestFinished, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import { startDaemon } from '../support/delivery.ts';
import { ensureDebian } from '../support/install.ts';
import { type Child, start } from '../support/process.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

setDefaultTimeout(60_000);

beforeAll(() => ensureDebian(['socat']));

/** A datagram socket as systemd has one, and what came to it. */
async function listenLikeSystemd(): Promise<{ path: string; received: Child }> {
  const path = join(tempDir('notify'), 'socket');
  const received = start('socat', ['socat', '-u', `UNIX-RECV:${path}`, 'STDOUT']);
  onTestFinished(async () => void (await received.kill()));
  await waitFor('socat listens', () => Bun.spawnSync(['test', '-S', path]).exitCode === 0);
  return { path, received };
}

test('systemd is told when it listens, that it is alive, and that it stops', async () => {
  const { path, received } = await listenLikeSystemd();
  const daemon = await startDaemon(['--stdout'], {
    env: { NOTIFY_SOCKET: path, WATCHDOG_USEC: '100000' },
  });
  await received.waitForLine(/READY=1\nSTATUS=listening on tcp:\/\/\S+, forwarding to standard/);
  await received.waitForLine(/(WATCHDOG=1){3}/);
  expect((await daemon.stop()).code).toBe(0);
  await received.waitForLine(/STOPPING=1\nSTATUS=reading what the senders still send/);
});

test('it is not ready before Kafka is reached, and the watchdog may belong to another process', async () => {
  const { path, received } = await listenLikeSystemd();
  const daemon = await startDaemon(['--brokers', '127.0.0.1:1'], {
    env: { NOTIFY_SOCKET: path, WATCHDOG_USEC: '100000', WATCHDOG_PID: '1' },
    dontWait: true,
  });
  await daemon.waitForLog(/waiting for Kafka/);
  expect((await daemon.stop()).code).toBe(0);
  await received.waitForLine(/STOPPING=1/);
  expect(received.stdout()).not.toMatch(/READY|WATCHDOG/);
});

test('a socket that nobody is at does no harm; a runtime that has none says so', async () => {
  const env = { NOTIFY_SOCKET: '/nonexistent/socket' };
  const binary = await startDaemon(['--stdout'], { env });
  expect((await binary.stop()).code).toBe(0);
  const node = await startDaemon(['--stdout'], { env, runner: 'node' });
  await node.waitForLog(/systemd can't be told of our state \(use Type=exec\): node has no unix/);
  expect((await node.stop()).code).toBe(0);
});
