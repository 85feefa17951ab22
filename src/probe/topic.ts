import type { Config } from '../config/config.ts';
import type { Metadata } from '../kafka/connection.ts';
import { batchBytesOf } from '../kafka/record-batch.ts';
import { BATCH_BYTES } from '../kafka/sink.ts';
import { createFormat, type Format } from '../syslog/format.ts';
import { type Finding, fail, note, pass } from './finding.ts';

const MIN_INSYNC_REPLICAS = 'min.insync.replicas';
const MAX_MESSAGE_BYTES = 'max.message.bytes';
/** The settings of a topic that are looked at. */
export const TOPIC_SETTINGS = [MIN_INSYNC_REPLICAS, MAX_MESSAGE_BYTES];

/** Around a plain message in its document: names, quotes, the fields of its header. */
const PLAIN_OVERHEAD_BYTES = 1_024;
/** What a broker allows on top of a batch's length by default. */
const LOG_OVERHEAD_BYTES = 12;

type Partition = Metadata['topicMetadata'][number]['partitionMetadata'][number];

/** Whether every partition can be written to now, and how safe that is. */
export function judgeTopic(
  topic: string,
  partitions: Partition[],
  settings: Map<string, string> | undefined,
): Finding {
  const what = `topic ${topic}`;
  const replicas = Math.min(...partitions.map((partition) => partition.replicas.length));
  const minInSync = Number(settings?.get(MIN_INSYNC_REPLICAS) ?? 1);
  const shape = `partitions ${partitions.length}, replicas ${replicas}, ${MIN_INSYNC_REPLICAS} ${settings ? minInSync : 'unknown'}`;

  const leaderless = partitions.filter(({ leader }) => leader < 0).map(idOf);
  if (leaderless.length > 0) {
    return fail(what, `${shape}: no leader for ${list(leaderless)}: start their brokers`);
  }
  const tooFew = partitions.filter(({ isr }) => isr.length < minInSync).map(idOf);
  if (tooFew.length > 0) {
    const advice = `start the missing brokers, or lower ${MIN_INSYNC_REPLICAS}`;
    return fail(what, `${shape}: writes to ${list(tooFew)} are refused: ${advice}`);
  }
  if (replicas === 1) {
    return note(
      what,
      `${shape}: if its broker loses its disk, messages are lost; 3 replicas are usual`,
    );
  }
  if (replicas === minInSync) {
    return note(what, `${shape}: one broker that is away holds the senders: have more replicas`);
  }
  return pass(what, shape);
}

/** Whether the topic takes what we make. @param settings or why they can't be had */
export function* judgeTopicSettings(
  settings: Map<string, string> | string,
  { format, maxMessageBytes, topic }: Config,
  broker: string,
): Generator<Finding> {
  const what = MAX_MESSAGE_BYTES;
  if (typeof settings === 'string') {
    yield note(what, `can't be told: ${settings}; grant DESCRIBE_CONFIGS on the topic`);
    return;
  }
  const limit = Number(settings.get(MAX_MESSAGE_BYTES));
  const needs = (bytes: number) => batchBytesOf(bytes) + LOG_OVERHEAD_BYTES;
  const made = createFormat(format);
  const plain = needs(maxMessageBytes + PLAIN_OVERHEAD_BYTES);
  const worst = Math.max(plain, needs(made.bound(maxMessageBytes)));
  const full = BATCH_BYTES + LOG_OVERHEAD_BYTES;
  const enough = Math.max(worst, full);
  const lower = largestThatFits(made, limit - needs(0));
  const raise = (bytes: number) =>
    `raise it to ${bytes} (kafka-configs.sh --bootstrap-server ${broker} --alter ` +
    `--entity-type topics --entity-name ${topic} ` +
    `--add-config ${MAX_MESSAGE_BYTES}=${bytes})`;
  const orLower = lower > 0 ? `, or set max-message-bytes to ${lower}` : '';
  if (limit < plain) {
    const problem = `messages of up to max-message-bytes (${maxMessageBytes}) don't fit in ${limit}`;
    yield fail(what, `${problem}, and would go in smaller parts: ${raise(enough)}${orLower}`);
  } else if (limit < worst) {
    const problem = `${limit} is not enough for the longest messages if they are full of escapes`;
    yield note(what, `${problem}: these would go in smaller parts: ${raise(enough)}${orLower}`);
  } else if (limit < full) {
    yield note(what, `${limit} makes batches small: for more speed ${raise(enough)}`);
  } else {
    yield pass(what, `${limit}, enough for batches of ${BATCH_BYTES} and any message`);
  }
}

/** The longest frame whose value always has room in so many bytes; 0 if there is none. */
function largestThatFits(format: Format, bytes: number): number {
  let low = 0;
  let high = Math.max(0, bytes);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (format.bound(middle) <= bytes) low = middle;
    else high = middle - 1;
  }
  return low;
}

function idOf({ partitionId }: Partition): number {
  return partitionId;
}

function list(partitions: number[]): string {
  return `partition ${partitions.sort((a, b) => a - b).join(', ')}`;
}
