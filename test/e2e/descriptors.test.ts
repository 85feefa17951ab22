import { afterEach, expect, onTestFinished, setDefaultTimeout, test } from 'bun:test';
import { adminAt } from '../support/admin.ts';
import { connectPeer, dropPeers } from '../support/peer.ts';
import { freePort, waitForPort } from '../support/ports.ts';
import { start } from '../support/process.ts';
import { startRiemannServer } from '../support/riemann-server.ts';
import { sleep, waitFor } from '../support/wait.ts';

setDefaultTimeout(60_000);
afterEach(dropPeers);

test('with no file descriptor left it lives on, and so do its metrics', async () => {
  const riemann = await startRiemannServer();
  onTestFinished(() => riemann.stop());
  const [port, page] = [await freePort(), await freePort()];
  const args = [
    ...['--stdout', '--listen', `tcp://127.0.0.1:${port}`, '--admin', `127.0.0.1:${page}`],
    ...['--riemann', `127.0.0.1:${riemann.port}`, '--riemann-interval', '0.1'],
  ];
  const script = 'ulimit -n 100; exec dist/syslogger "$@"';
  const daemon = start('few-descriptors', ['sh', '-c', script, 'sh', ...args]);
  onTestFinished(async () => void (await daemon.kill()));
  await waitForPort(port);
  await waitFor('events come', () => riemann.received.length > 2);

  const senders = await Promise.all(Array.from({ length: 150 }, () => connectPeer(port)));
  for (const [i, sender] of senders.entries()) await sender.send(`<13>app: seq=${i}\n`);
  await sleep(1_000);
  const before = riemann.received.length;
  await waitFor('events still come', () => riemann.received.length > before + 2);
  expect(daemon.exit()).toBeUndefined();

  for (const sender of senders) await sender.close();
  const { ledger } = await adminAt(page).status();
  expect(ledger.received).toBe(150);
  expect(await daemon.stop()).toMatchObject({ code: 0 });
  expect(daemon.stderr()).toInclude('received 150 = acknowledged 150 + in flight 0;');
});
