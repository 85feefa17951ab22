import { type Address, formatAddress, isSame } from '../address.ts';
import type { Config } from '../config/config.ts';
import { BrokerConnection, type Metadata } from '../kafka/connection.ts';
import { describeTopicError } from '../kafka/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { advise, type Finding, fail, pass } from './finding.ts';
import { judgeTopic, judgeTopicSettings, TOPIC_SETTINGS } from './topic.ts';

/** How long a broker may take to connect, and to answer each question, in ms. */
const BROKER_DEADLINE_MS = 5_000;
/** How soon a question is asked again that could not be answered yet, in ms. */
const RETRY_AFTER_MS = 250;

/** Where the addresses come from that brokers tell. */
const ADVERTISED = "the broker's advertised.listeners";

/** Tries each broker, also those that the first ones tell of, and looks at the topic. */
export async function* probeKafka(
  addresses: Address[],
  config: Config,
  runtime: Runtime,
): AsyncGenerator<Finding> {
  const { target, topic } = config;
  const from = target.kind === 'brokers' ? 'brokers' : ADVERTISED;
  const ask = (address: Address, name: string, from: string) =>
    askBroker(address, { topic, runtime, name, from });
  const found = await Promise.all(addresses.map((address) => ask(address, '', from)));
  const told = found.find(({ metadata }) => metadata !== undefined);
  const others = (told?.metadata?.brokers ?? []).filter(
    (broker) => !addresses.some((known) => isSame(known, broker)),
  );
  const advertised = await Promise.all(
    others.map(({ host, port, nodeId }) => ask({ host, port }, `broker ${nodeId} at `, ADVERTISED)),
  );
  for (const { finding } of [...found, ...advertised]) yield finding;
  if (told?.metadata) yield* probeTopic(told.connection, told.metadata, config);
  for (const { connection } of [...found, ...advertised]) connection.close();
}

interface Asked {
  finding: Finding;
  connection: BrokerConnection;
  /** What it told, if it did. */
  metadata?: Metadata;
}

/** @param from where its address comes from */
async function askBroker(
  address: Address,
  { topic, runtime, name, from }: { topic: string; runtime: Runtime; name: string; from: string },
): Promise<Asked> {
  const what = `Kafka ${name}${formatAddress(address)}`;
  const connection = new BrokerConnection(address, {
    clientId: 'syslogger-check',
    socketFactory: runtime.socketFactory,
    connectTimeoutMs: BROKER_DEADLINE_MS,
    requestTimeoutMs: BROKER_DEADLINE_MS,
  });
  try {
    await connection.open();
    const metadata = await connection.metadata(topic, false);
    return { connection, metadata, finding: pass(what, 'it answers') };
  } catch (error) {
    return { connection, finding: fail(what, advise(error as Error, from)) };
  }
}

async function* probeTopic(
  connection: BrokerConnection,
  { topicMetadata }: Metadata,
  config: Config,
): AsyncGenerator<Finding> {
  const { topic } = config;
  const what = `topic ${topic}`;
  const told = topicMetadata.find((candidate) => candidate.topic === topic);
  const code = told?.topicErrorCode ?? 0;
  if (!told || code !== 0) {
    yield fail(what, describeTopicError(code, topic, connection.address));
    return;
  }
  let settings: Map<string, string> | undefined;
  let refusal = '';
  try {
    settings = await connection.topicSettings(topic, TOPIC_SETTINGS);
  } catch (error) {
    refusal = (error as Error).message;
  }
  if (told.partitionMetadata.length === 0) {
    yield fail(what, 'it has no partitions');
    return;
  }
  yield judgeTopic(topic, told.partitionMetadata, settings);
  yield* judgeTopicSettings(settings ?? refusal, config, formatAddress(connection.address));
  yield await probeProducer(connection);
}

async function probeProducer(connection: BrokerConnection): Promise<Finding> {
  const what = 'producer';
  const deadline = performance.now() + BROKER_DEADLINE_MS;
  for (;;) {
    try {
      await connection.initProducerId();
      return pass(what, 'the cluster gives an id, so that what is sent again is recognised');
    } catch (error) {
      // A cluster that has just started takes its time.
      const { message, retriable } = error as Error & { retriable?: boolean };
      const isForbidden = /authori[sz]ed/i.test(message);
      if (isForbidden) return fail(what, `${message}: grant IDEMPOTENT_WRITE on the cluster`);
      if (!retriable || performance.now() > deadline) return fail(what, message);
      await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
    }
  }
}
