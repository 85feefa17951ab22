import errors from 'kafkajs/src/protocol/error.js';
import { type Address, formatAddress } from '../address.ts';

/** What to do with a batch after the broker's answer. */
export type Verdict =
  /** It is in the log, now or since an earlier try. */
  | 'delivered'
  /** It may succeed later, perhaps on another broker: look for the leader and try again. */
  | 'retry'
  /** It is larger than the topic allows: split it. */
  | 'too large'
  /** The broker does not know this producer (any more): get a new identity, then try again. */
  | 'new identity'
  /** Only a person can change that: say so, and keep trying. */
  | 'hold';

/** Where kafkajs's own "retriable" is not what we need, by Kafka's error code. */
const VERDICTS = new Map<number, Verdict>([
  [0, 'delivered'],
  [46, 'delivered'], // DUPLICATE_SEQUENCE_NUMBER
  [10, 'too large'], // MESSAGE_TOO_LARGE
  [18, 'too large'], // RECORD_LIST_TOO_LARGE
  [45, 'new identity'], // OUT_OF_ORDER_SEQUENCE_NUMBER
  [47, 'new identity'], // INVALID_PRODUCER_EPOCH
  [49, 'new identity'], // INVALID_PRODUCER_ID_MAPPING
  [59, 'new identity'], // UNKNOWN_PRODUCER_ID
  [90, 'new identity'], // PRODUCER_FENCED
  [-1, 'retry'], // UNKNOWN_SERVER_ERROR
]);

/** Says what an error code of a Produce response means for the batch; total. */
export function classify(errorCode: number): Verdict {
  return VERDICTS.get(errorCode) ?? (describeError(errorCode).retriable ? 'retry' : 'hold');
}

/** An error code's name and meaning (Kafka protocol guide, "Error Codes"). */
export function describeError(errorCode: number): {
  type: string;
  retriable: boolean;
  message: string;
} {
  const known = errors.errorCodes.find(({ code }) => code === errorCode);
  return known ?? { type: `ERROR_${errorCode}`, retriable: true, message: 'unknown error' };
}

/**
 * Says for a person what is wrong with a topic, and what to do.
 * @param errorCode the topic's in a Metadata response
 * @param broker any of the cluster's
 */
export function describeTopicError(
  errorCode: number,
  topic: string,
  broker: Address | undefined,
): string {
  const { type, message } = describeError(errorCode);
  const server = broker ? formatAddress(broker) : '…';
  if (type === 'LEADER_NOT_AVAILABLE') return `topic ${topic} is being created`;
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') {
    return (
      `topic ${topic} does not exist: create it (kafka-topics.sh --bootstrap-server ${server} ` +
      `--create --topic ${topic} …) or choose another with --topic`
    );
  }
  if (type === 'TOPIC_AUTHORIZATION_FAILED') {
    return `not allowed to write to topic ${topic}: grant WRITE and DESCRIBE`;
  }
  return `topic ${topic}: ${type}: ${message}`;
}
