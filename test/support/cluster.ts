import { afterAll, beforeAll } from 'bun:test';
import { type Kafka, type KafkaOptions, startKafka } from './kafka.ts';
import { startZooKeeper, type ZooKeeper } from './zookeeper.ts';

export interface Cluster {
  readonly zookeeper: ZooKeeper;
  readonly kafka: Kafka;
}

/** Starts a ZooKeeper and one broker before the tests of a file, and stops them after. */
export function useCluster(options: KafkaOptions & { chroot?: string } = {}): Cluster {
  const started: { zookeeper?: ZooKeeper; kafka?: Kafka } = {};
  beforeAll(async () => {
    started.zookeeper = await startZooKeeper();
    started.kafka = await startKafka({ zookeeper: started.zookeeper.address, ...options });
  });
  afterAll(async () => {
    await started.kafka?.stop();
    await started.zookeeper?.stop();
  });
  const have = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error('the cluster is not up');
    return part;
  };
  return {
    get zookeeper() {
      return have(started.zookeeper);
    },
    get kafka() {
      return have(started.kafka);
    },
  };
}
