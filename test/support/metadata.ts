import { array, type Reader, request, string } from './wire.ts';

export interface Metadata {
  brokers: { id: number; host: string | null; port: number }[];
  /** The controller's broker id, -1 while there is none. */
  controller: number;
  topics: TopicMetadata[];
}

export interface TopicMetadata {
  error: number;
  topic: string;
  partitions: PartitionMetadata[];
}

export interface PartitionMetadata {
  error: number;
  partition: number;
  /** The leader's broker id, -1 while there is none. */
  leader: number;
  replicas: number[];
  /** The replicas that are in sync. */
  isr: number[];
}

const METADATA = 3;

/** What the broker on this port of 127.0.0.1 knows of its cluster and of these topics. */
export async function metadata(port: number, topics: string[] = []): Promise<Metadata> {
  const reader = await request(port, METADATA, 1, array(topics.map(string)));
  return {
    brokers: reader.array(() => {
      const broker = { id: reader.int32(), host: reader.string(), port: reader.int32() };
      reader.string();
      return broker;
    }),
    controller: reader.int32(),
    topics: reader.array(() => topicMetadata(reader)),
  };
}

function topicMetadata(reader: Reader): TopicMetadata {
  const error = reader.int16();
  const topic = reader.string() ?? '';
  reader.int8();
  const partitions = reader.array(() => ({
    error: reader.int16(),
    partition: reader.int32(),
    leader: reader.int32(),
    replicas: reader.array(() => reader.int32()),
    isr: reader.array(() => reader.int32()),
  }));
  return { error, topic, partitions: partitions.sort((a, b) => a.partition - b.partition) };
}
