import { type Kafka, type KafkaOptions, runBroker, type Settings } from './broker.ts';
import { ensureKafka, KAFKA_WITHOUT_ZOOKEEPER } from './install.ts';
import { startJava } from './java.ts';
import { freePort } from './ports.ts';

export type { Kafka, KafkaOptions } from './broker.ts';

export interface KafkaWithZooKeeperOptions extends KafkaOptions {
  /** `host:port`, as `ZooKeeper.address` has it. */
  zookeeper: string;
  /** `/path` below which the cluster registers. */
  chroot?: string;
}

/** Starts a Kafka broker that registers in ZooKeeper, and waits until it serves. */
export async function startKafka(options: KafkaWithZooKeeperOptions): Promise<Kafka> {
  const libs = await ensureKafka();
  const id = options.brokerId ?? 1;
  // The brokers' own traffic doesn't go through a proxy that stands before the clients' port.
  const internal = await freePort();
  return runBroker(libs, id, options, (port, advertised) => ({
    'broker.id': id,
    'zookeeper.connect': options.zookeeper + (options.chroot ?? ''),
    'zookeeper.session.timeout.ms': 4000,
    'zookeeper.connection.timeout.ms': 20_000,
    'inter.broker.listener.name': 'INTERNAL',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT',
    listeners: `PLAINTEXT://127.0.0.1:${port},INTERNAL://127.0.0.1:${internal}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${advertised},INTERNAL://127.0.0.1:${internal}`,
  }));
}

/** Starts a Kafka without ZooKeeper, broker and controller in one, and waits until it serves. */
export async function startKRaft(options: KafkaOptions = {}): Promise<Kafka> {
  const libs = await ensureKafka(KAFKA_WITHOUT_ZOOKEEPER);
  const id = options.brokerId ?? 1;
  const controller = await freePort();
  const settings = (port: number, advertised: number): Settings => ({
    'node.id': id,
    'process.roles': 'broker,controller',
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${advertised},CONTROLLER://127.0.0.1:${controller}`,
    'broker.heartbeat.interval.ms': 500,
    'broker.session.timeout.ms': 4000,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
  });
  return runBroker(libs, id, options, settings, async (config) => {
    const clusterId = Buffer.from(crypto.randomUUID().replaceAll('-', ''), 'hex');
    const format = startJava('kafka-format', {
      libs,
      mainClass: 'kafka.tools.StorageTool',
      // With `=`, since an id may begin with a dash.
      args: [
        'format',
        '--standalone',
        `--cluster-id=${clusterId.toString('base64url')}`,
        '-c',
        config,
      ],
      heap: 128,
    });
    const { code } = await format.exited;
    if (code !== 0) throw new Error(`can't format: ${format.stdout()}${format.stderr()}`);
  });
}
