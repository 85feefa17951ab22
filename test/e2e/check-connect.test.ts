import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { useCluster } from '../support/cluster.ts';
import { endOffsets } from '../support/consume.ts';
import { startKafka } from '../support/kafka.ts';
import { freePort } from '../support/ports.ts';
import { startProxy } from '../support/proxy.ts';
import { startRiemannServer } from '../support/riemann-server.ts';
import { runSyslogger } from '../support/syslogger.ts';
import { createTopic, partitionsOf } from '../support/topics.ts';
import { waitFor } from '../support/wait.ts';

setDefaultTimeout(90_000);
const cluster = useCluster({ overrides: { 'auto.create.topics.enable': true } });
/** Kafka's number for the Metadata API. */
const METADATA = 3;

/** Runs `syslogger check --connect`, and returns what it found. */
async function check(...args: string[]): Promise<{ code: number | null; found: string[] }> {
  const { code, stdout, stderr } = await runSyslogger(['check', '--connect', ...args]);
  expect(stderr).toBe('');
  const found = stdout.split('\n').filter((line) => /^# (pass|note|FAIL) {2}/.test(line));
  expect(stdout.trimEnd().split('\n').at(-1)).toMatch(
    code === 0 ? /: all good$/ : /: FAILED: \d+ of \d+$/,
  );
  return { code, found: found.map((line) => line.slice(2)) };
}

describe('check --connect says for each part whether it works, and what to do', () => {
  test('a good cluster of two brokers, found in ZooKeeper', async () => {
    const second = await startKafka({ zookeeper: cluster.zookeeper.address, brokerId: 2 });
    const brokers = [cluster.kafka.address, second.address];
    const config = { 'min.insync.replicas': 1 };
    await createTopic(brokers, { topic: 'good', partitions: 3, replicationFactor: 2, config });
    const { code, found } = await check(
      '--zookeeper',
      cluster.zookeeper.address,
      '--topic',
      'good',
    );
    const registered = brokers.toSorted().join(', ');
    expect(found.toSorted()).toEqual(
      [
        `pass  ZooKeeper ${cluster.zookeeper.address}: brokers that are registered: ${registered}`,
        ...brokers.map((broker) => `pass  Kafka ${broker}: it answers`),
        'pass  topic good: partitions 3, replicas 2, min.insync.replicas 1',
        'pass  max.message.bytes: 1048588, enough for batches of 1048576 and any message',
        'pass  producer: the cluster gives an id, so that what is sent again is recognised',
      ].toSorted(),
    );
    expect(code).toBe(0);

    // One of two bootstrap addresses is enough to find the other broker.
    const bootstrap = await check('--brokers', second.address, '--topic', 'good');
    expect(bootstrap.found).toContain(
      `pass  Kafka broker 1 at ${cluster.kafka.address}: it answers`,
    );
    expect(bootstrap.code).toBe(0);

    // Both replicas are wanted, and one is gone.
    await createTopic(brokers, {
      topic: 'strict',
      replicationFactor: 2,
      config: { 'min.insync.replicas': 2 },
    });
    const held = await check('--brokers', second.address, '--topic', 'strict');
    expect(held.found).toContain(
      'note  topic strict: partitions 1, replicas 2, min.insync.replicas 2: ' +
        'one broker that is away holds the senders: have more replicas',
    );
    expect(held.code).toBe(0);
    await second.stop();
    await waitFor('the replica is gone', async () => {
      const [partition] = await partitionsOf(cluster.kafka.address, 'strict');
      return partition?.isr.length === 1;
    });
    const refused = await check('--brokers', cluster.kafka.address, '--topic', 'strict');
    expect(refused.found).toContain(
      'FAIL  topic strict: partitions 1, replicas 2, min.insync.replicas 2: writes to partition 0 ' +
        'are refused: start the missing brokers, or lower min.insync.replicas',
    );
    expect(refused.code).toBe(78);
  });

  test('a missing topic: how to create it; and none is created, even where brokers would', async () => {
    const args = ['--brokers', cluster.kafka.address, '--topic', 'nowhere'];
    const { code, found } = await check(...args);
    expect(found.at(-1)).toStartWith(
      `FAIL  topic nowhere: topic nowhere does not exist: create it (kafka-topics.sh --bootstrap-server ${cluster.kafka.address} --create --topic nowhere`,
    );
    expect(code).toBe(78);
    expect(await endOffsets(cluster.kafka.address, 'nowhere')).toEqual([]);
  });

  test('max.message.bytes: too small for a message, for the longest ones, for full batches', async () => {
    const broker = cluster.kafka.address;
    const limits: [limit: number, verdict: string, says: RegExp][] = [
      [
        100_000,
        'FAIL',
        /\(131072\) don't fit in 100000, .*: raise it to 1048588 \(kafka-configs\.sh /,
      ],
      [500_000, 'note', /^500000 is not enough for the longest messages if they are full of escap/],
      [1_040_000, 'note', /^1040000 makes batches small: for more speed raise it to 1048588 /],
    ];
    for (const [limit, verdict, says] of limits) {
      const topic = `limit-${limit}`;
      await createTopic(broker, { topic, config: { 'max.message.bytes': limit } });
      const { code, found } = await check('--brokers', broker, '--topic', topic);
      const [line] = found.filter((finding) => finding.includes('max.message.bytes:'));
      expect(line).toStartWith(`${verdict}  max.message.bytes: `);
      expect(line?.replace(/^.*?bytes: /, '')).toMatch(says);
      expect(code).toBe(verdict === 'FAIL' ? 78 : 0);
      // What it says is enough is enough.
      const [, lower] = /set max-message-bytes to (\d+)$/.exec(line ?? '') ?? [];
      if (lower === undefined) continue;
      const args = ['--brokers', broker, '--topic', topic, '--max-message-bytes', lower];
      const again = await check(...args);
      expect(again.found.join('\n')).not.toContain('would go in smaller parts');
      expect(again.code).toBe(0);
    }
  });

  test('a broker that nobody is at, and a port that is no Kafka', async () => {
    const nobody = `127.0.0.1:${await freePort()}`;
    const { code, found } = await check('--brokers', `${nobody},${cluster.zookeeper.address}`);
    expect(found).toEqual([
      expect.stringMatching(/^FAIL {2}Kafka \S+: .*ECONNREFUSED.*: nothing listens there: /),
      expect.stringMatching(/^FAIL {2}Kafka \S+: /),
    ]);
    expect(code).toBe(78);
  });

  test('a broker that connects but tells nothing of the topic', async () => {
    const proxy = await startProxy(cluster.kafka.port);
    proxy.loseNextRequest(METADATA);
    const { code, found } = await check('--brokers', `127.0.0.1:${proxy.port}`);
    await proxy.close();
    expect(found).toEqual([
      expect.stringMatching(/^FAIL {2}Kafka \S+: .*[Cc]losed.*: it closes the connection: is this/),
    ]);
    expect(code).toBe(78);
  });

  test('Riemann answers, answers with an error, and is not there', async () => {
    const riemann = await startRiemannServer();
    const args = ['--stdout', '--riemann', `127.0.0.1:${riemann.port}`];
    const where = `Riemann 127.0.0.1:${riemann.port}`;
    expect(await check(...args)).toEqual({ code: 0, found: [`pass  ${where}: it answers`] });
    riemann.setMode('error');
    const error = await check(...args);
    expect(error.found[0]).toStartWith(`FAIL  ${where}: it answers with an error: `);
    await riemann.stop();
    const gone = await check(...args);
    expect(gone.found[0]).toMatch(/^FAIL {2}Riemann .*nothing listens there.*correct riemann$/);
    expect([error.code, gone.code]).toEqual([78, 78]);
  });

  test('a dead ZooKeeper, one that hangs, and a chroot that nobody has', async () => {
    const nobody = `127.0.0.1:${await freePort()}`;
    const dead = await check('--zookeeper', nobody);
    expect(dead.found).toEqual([
      expect.stringMatching(
        /^FAIL {2}ZooKeeper 127\S+: .*ECONNREFUSED.*: nothing listens there: start it, or correct zookeeper$/,
      ),
    ]);
    expect(dead.code).toBe(78);

    const chroot = await check('--zookeeper', `${cluster.zookeeper.address}/nowhere`);
    expect(chroot.found[0]).toInclude('no Kafka has registered there yet, or the chroot is wrong');
    expect(chroot.code).toBe(78);

    cluster.zookeeper.pause();
    const hanging = await check('--zookeeper', cluster.zookeeper.address);
    cluster.zookeeper.resume();
    expect(hanging.found[0]).toMatch(/^FAIL {2}.*no answer within 5 s: is it running, and does a/);
    expect(hanging.code).toBe(78);
  });
});
