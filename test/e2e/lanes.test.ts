import { expect, setDefaultTimeout, test } from 'bun:test';
import { KafkaSink } from '../../src/kafka/sink.ts';
import { createLog } from '../../src/log.ts';
import { currentRuntime } from '../../src/runtime/index.ts';
import { useCluster } from '../support/cluster.ts';
import { countRecords, readTopic } from '../support/consume.ts';
import { startDaemon } from '../support/delivery.ts';
import { startKafka } from '../support/kafka.ts';
import { sendMessages } from '../support/load.ts';
import { freePort } from '../support/ports.ts';
import { startProxy } from '../support/proxy.ts';
import { createTopic } from '../support/topics.ts';
import { waitFor } from '../support/wait.ts';
import { startZooKeeper } from '../support/zookeeper.ts';

setDefaultTimeout(90_000);
const cluster = useCluster();

/** What the test reaches for inside the sink: what it knows of the topic. */
interface Inside {
  cluster: { partitions: number[] };
  refreshed(): void;
}

test('a partition that is gone for a while keeps its sequence', async () => {
  const topic = 'gone';
  const address = cluster.kafka.address;
  await createTopic(address, { topic });
  const sink = new KafkaSink({
    discovery: {
      description: address,
      find: async () => [{ host: '127.0.0.1', port: cluster.kafka.port }],
    },
    topic,
    clientId: 'test',
    socketFactory: currentRuntime().socketFactory,
    log: createLog({
      write: () => {},
      level: 'error',
      format: 'human',
      isTerminal: false,
      isJournal: false,
    }),
    maxValueBytes: 1_000,
    split: () => null,
  });
  const send = async (text: string) => {
    const batch = sink.createBatch();
    batch.append(Buffer.from(text), Date.now());
    await sink.send(batch, true);
  };

  await sink.open();
  await send('one');
  const inside = sink as unknown as Inside;
  const { partitions } = inside.cluster;
  inside.cluster.partitions = [];
  inside.refreshed();
  inside.cluster.partitions = partitions;
  inside.refreshed();
  await send('two');
  await sink.close();
  const values = (await readTopic(address, topic)).map(({ value }) => value.toString());
  expect(values).toEqual(['one', 'two']);
});

test('a lone message is not forgotten when the connection was lost just before', async () => {
  const topic = 'lone';
  const zookeeper = await startZooKeeper();
  const port = await freePort();
  const proxy = await startProxy(port);
  const kafka = await startKafka({
    zookeeper: zookeeper.address,
    port,
    advertisedPort: proxy.port,
  });
  await createTopic(kafka.address, { topic });
  const args = ['--zookeeper', zookeeper.address, '--topic', topic];
  const syslogger = await startDaemon(args);
  for (let sent = 1; sent <= 5; sent++) {
    const before = syslogger.stderr().split('info SIGUSR1: looked up').length;
    syslogger.child.signal('SIGUSR1');
    await waitFor(
      'not looked up',
      () => syslogger.stderr().split('info SIGUSR1: looked up').length > before,
    );
    proxy.cut();
    await sendMessages(syslogger.port, [`<13>app: ${sent}`]);
    await waitFor(
      `message ${sent} is forgotten`,
      async () => (await countRecords(kafka.address, topic)) === sent,
      { everyMs: 200, timeoutMs: 15_000 },
    );
  }
  expect((await syslogger.stop()).code).toBe(0);
  await kafka.stop();
  await proxy.close();
  await zookeeper.stop();
});
