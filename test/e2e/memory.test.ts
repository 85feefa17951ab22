import { expect, test } from 'bun:test';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { useCluster } from '../support/cluster.ts';
import { readTopic } from '../support/consume.ts';
import { checkNumbered, numberedLine } from '../support/lines.ts';
import { cpuSeconds } from '../support/process.ts';
import { startSyslogger } from '../support/syslogger.ts';
import { createTopic } from '../support/topics.ts';
import { sleep, waitFor } from '../support/wait.ts';

const MEBIBYTE = 1_048_576;
const CONNECTIONS = 1_000;
const LINES_EACH = 2_000;

const cluster = useCluster();

test('1,000 busy connections while Kafka is stopped: it rests, its memory is bounded, nothing is lost', async () => {
  const topic = 'memory';
  await createTopic(cluster.kafka.address, { topic, partitions: 4 });
  const args = ['--zookeeper', cluster.zookeeper.address, '--topic', topic];
  const syslogger = await startSyslogger({ args });
  await sleep(1000);
  const idle = syslogger.rss();
  expect(idle).toBeLessThan(80 * MEBIBYTE);

  const sockets = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => open(syslogger.port)),
  );
  cluster.kafka.pause();
  const blocks = sockets.map((socket, i) => write(socket, i));
  // As much as goes: until the daemon reads no more, and so the senders can't write.
  let last = -1;
  await waitFor(
    'the senders are never held',
    async () => {
      const now = sockets.reduce(
        (sum, { bytesWritten, writableLength }) => sum + bytesWritten - writableLength,
        0,
      );
      const isHeld = now === last;
      last = now;
      return isHeld;
    },
    { everyMs: 1000 },
  );
  const before = cpuSeconds(syslogger.pid);
  await sleep(4000);
  expect(cpuSeconds(syslogger.pid) - before).toBeLessThan(1);
  const stalled = syslogger.rss();
  console.log(
    `idle ${mebibytes(idle)} MiB, stalled with ${CONNECTIONS} connections ${mebibytes(stalled)} MiB`,
  );
  expect(stalled).toBeLessThan(250 * MEBIBYTE);

  cluster.kafka.resume();
  await Promise.all(blocks);
  const { code, ledger } = await syslogger.stop();
  const count = CONNECTIONS * LINES_EACH;
  expect(ledger).toContain(`received ${count} = acknowledged ${count} + in flight 0;`);
  expect(code).toBe(0);
  const values = (await readTopic(cluster.kafka.address, topic)).map(({ value }) => value);
  expect(checkNumbered(values, count)).toEqual({ missing: [], repeated: [] });
});

async function open(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  return socket;
}

/** Writes this connection's share of the numbered lines and closes. */
async function write(socket: Socket, connection: number): Promise<void> {
  const lines = Array.from({ length: LINES_EACH }, (_, i) =>
    numberedLine(connection * LINES_EACH + i),
  );
  const closed = once(socket, 'close');
  socket.end(`${lines.join('\n')}\n`);
  socket.resume();
  await closed;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / MEBIBYTE);
}
