import { type Admin, ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { metadata, type PartitionMetadata } from './metadata.ts';
import { waitFor } from './wait.ts';
import { array, int8, int32, request, string } from './wire.ts';

process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';

/** `host:port` of one or several brokers. */
export type Brokers = string | string[];

export interface TopicOptions {
  topic: string;
  partitions?: number;
  replicationFactor?: number;
  /** Replicas of each partition by broker id, the preferred leader first, instead of a factor. */
  assignment?: number[][];
  config?: Record<string, string | number>;
}

/** Calls `use` with a connected admin client of kafkajs. */
export async function withAdmin<T>(
  brokers: Brokers,
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  const kafka = new Kafka({
    clientId: 'test',
    brokers: [brokers].flat(),
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 10 },
  });
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Creates a topic and waits until all these brokers know a leader for each partition. */
export async function createTopic(brokers: Brokers, options: TopicOptions): Promise<void> {
  const { topic, partitions = 1, replicationFactor = 1, assignment, config = {} } = options;
  const where = assignment
    ? { replicaAssignment: assignment.map((replicas, partition) => ({ partition, replicas })) }
    : { numPartitions: partitions, replicationFactor };
  const request = {
    waitForLeaders: false,
    topics: [{ topic, ...where, configEntries: entries(config) }],
  };
  await waitFor(`can't create ${topic}`, async () => {
    try {
      await withAdmin(brokers, (admin) => admin.createTopics(request));
      return true;
    } catch (error) {
      // A broker that is about to register again, as after a long pause, fails with UNKNOWN.
      const [cause] = (error as { errors?: { type?: string }[] }).errors ?? [];
      if (cause?.type !== 'UNKNOWN') throw error;
      return false;
    }
  });
  for (const broker of [brokers].flat()) {
    await waitFor(`${topic} has no leaders at ${broker}`, async () => {
      const known = await partitionsOf(broker, topic);
      return known.length > 0 && known.every(({ leader }) => leader >= 0);
    });
  }
}

/** Deletes a topic. */
export async function deleteTopic(brokers: Brokers, topic: string): Promise<void> {
  await withAdmin(brokers, (admin) => admin.deleteTopics({ topics: [topic] }));
}

/** Gives a topic further partitions, so that it has `count`. */
export async function addPartitions(brokers: Brokers, topic: string, count: number): Promise<void> {
  await withAdmin(brokers, (admin) =>
    admin.createPartitions({ topicPartitions: [{ topic, count }] }),
  );
}

/** Sets a topic's own settings; those not named go back to the broker's defaults. */
export async function setTopicConfig(
  brokers: Brokers,
  topic: string,
  config: Record<string, string | number>,
): Promise<void> {
  await withAdmin(brokers, (admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: entries(config) }],
    }),
  );
}

/** Leader, replicas and in-sync replicas of each partition, as the first broker that answers has it. */
export async function partitionsOf(brokers: Brokers, topic: string): Promise<PartitionMetadata[]> {
  const { topics } = await Promise.any(
    [brokers].flat().map((address) => metadata(portOf(address), [topic])),
  );
  return topics[0]?.partitions ?? [];
}

/** The leader's broker id of each partition, -1 where there is none. */
export async function leaders(brokers: Brokers, topic: string): Promise<number[]> {
  return (await partitionsOf(brokers, topic)).map(({ leader }) => leader);
}

/** Moves one partition to these replicas and waits until it is done and the first of them leads. */
export async function movePartition(
  brokers: Brokers,
  topic: string,
  partition: number,
  replicas: number[],
): Promise<void> {
  await withAdmin(brokers, async (admin) => {
    const topics = [{ topic, partitions: [partition] }];
    await admin.alterPartitionReassignments({
      topics: [{ topic, partitionAssignment: [{ partition, replicas }] }],
    });
    await waitFor(`${topic}/${partition} doesn't move`, async () => {
      const moving = await admin.listPartitionReassignments({ topics });
      return moving.topics.length === 0;
    });
  });
  await electPreferredLeader(brokers, topic, partition);
  await waitFor(`${topic}/${partition} isn't led by ${replicas[0]}`, async () => {
    return (await leaders(brokers, topic))[partition] === replicas[0];
  });
}

const ELECT_LEADERS = 43;
const PREFERRED = 0;

/** Makes a partition's first replica its leader. */
export async function electPreferredLeader(
  brokers: Brokers,
  topic: string,
  partition: number,
): Promise<void> {
  const ports = [brokers].flat().map(portOf);
  const cluster = await Promise.any(ports.map((port) => metadata(port)));
  const controller = cluster.brokers.find(({ id }) => id === cluster.controller);
  const partitions = array([Buffer.concat([string(topic), array([int32(partition)])])]);
  const body = Buffer.concat([int8(PREFERRED), partitions, int32(10_000)]);
  await request(controller?.port ?? ports[0], ELECT_LEADERS, 1, body, 15_000);
}

const portOf = (address: string) => Number(address.slice(address.lastIndexOf(':') + 1));

const entries = (config: Record<string, string | number>) =>
  Object.entries(config).map(([name, value]) => ({ name, value: String(value) }));
