import { Kafka, logLevel } from 'kafkajs';
import { start } from '../test/support/process.ts';
import { which } from '../test/support/which.ts';
import { followLines } from './lines.ts';

export interface Consumer {
  /** What reads: kcat where it's installed, kafkajs otherwise. */
  name: string;
  stop(): Promise<void>;
}

/** Reads a topic from its beginning, and on as documents come. */
export function consume(
  broker: string,
  topic: string,
  take: (json: string) => void,
): Promise<Consumer> {
  const kcat = which('kcat');
  return kcat
    ? consumeWithKcat(kcat, broker, topic, take)
    : consumeWithKafkajs(broker, topic, take);
}

async function consumeWithKcat(
  kcat: string,
  broker: string,
  topic: string,
  take: (json: string) => void,
): Promise<Consumer> {
  const quickly = ['-X', 'fetch.wait.max.ms=50'];
  const command = [
    kcat,
    '-C',
    '-u',
    '-q',
    '-b',
    broker,
    '-t',
    topic,
    '-o',
    'beginning',
    ...quickly,
  ];
  const child = start('kcat', command);
  const stopFollowing = followLines(child.stdoutPath, take);
  return {
    name: 'kcat',
    stop: async () => {
      stopFollowing();
      await child.stop();
    },
  };
}

async function consumeWithKafkajs(
  broker: string,
  topic: string,
  take: (json: string) => void,
): Promise<Consumer> {
  const kafka = new Kafka({ clientId: 'demo', brokers: [broker], logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: 'demo', maxWaitTimeInMs: 50 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => take(String(message.value)) });
  return { name: 'kafkajs', stop: () => consumer.disconnect() };
}
