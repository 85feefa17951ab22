import { expect, test } from 'bun:test';
import { readTopic } from '../support/consume.ts';
import { startDaemon } from '../support/delivery.ts';
import { startKafka } from '../support/kafka.ts';
import { checkNumbered, numberedLine } from '../support/lines.ts';
import { connectPeer } from '../support/peer.ts';
import { freePort } from '../support/ports.ts';
import { PRODUCE, startProxy } from '../support/proxy.ts';
import { createTopic } from '../support/topics.ts';
import { sleep, waitFor } from '../support/wait.ts';
import { startZooKeeper } from '../support/zookeeper.ts';

const SENDERS = 1_000;

test('what a thousand senders send while a request is under way goes out together', async () => {
  const topic = 'batching';
  const zookeeper = await startZooKeeper();
  const port = await freePort();
  const proxy = await startProxy(port);
  const kafka = await startKafka({
    zookeeper: zookeeper.address,
    port,
    advertisedPort: proxy.port,
  });
  await createTopic(kafka.address, { topic });
  const syslogger = await startDaemon(['--zookeeper', zookeeper.address, '--topic', topic]);
  const peers = await Promise.all(
    Array.from({ length: SENDERS }, () => connectPeer(syslogger.port)),
  );
  const requests = () => proxy.forwarded.get(PRODUCE) ?? 0;

  const [first, ...others] = peers;
  proxy.stall();
  await first.send(`${numberedLine(0)}\n`);
  await Promise.all(others.map((peer, i) => peer.send(`${numberedLine(i + 1)}\n`)));
  // Long enough for what the kernel has to be read.
  await sleep(1_000);
  proxy.resume();
  await waitFor('no two requests', () => requests() >= 2);
  await Promise.all(peers.map((peer) => peer.close()));
  expect((await syslogger.stop()).code).toBe(0);

  expect(requests()).toBeLessThan(SENDERS / 50);
  const values = (await readTopic(kafka.address, topic)).map(({ value }) => value);
  expect(checkNumbered(values, SENDERS)).toEqual({ missing: [], repeated: [] });
  await kafka.stop();
  await proxy.close();
  await zookeeper.stop();
});
