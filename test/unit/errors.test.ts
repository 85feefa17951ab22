import { expect, test } from 'bun:test';
import { classify, describeError, type Verdict } from '../../src/kafka/errors.ts';

/** Kafka protocol guide, "Error Codes". */
const CASES: [code: number, name: string, verdict: Verdict][] = [
  [0, 'NONE', 'delivered'],
  [46, 'DUPLICATE_SEQUENCE_NUMBER', 'delivered'],
  [-1, 'UNKNOWN', 'retry'],
  [2, 'CORRUPT_MESSAGE', 'retry'],
  [3, 'UNKNOWN_TOPIC_OR_PARTITION', 'retry'],
  [5, 'LEADER_NOT_AVAILABLE', 'retry'],
  [6, 'NOT_LEADER_FOR_PARTITION', 'retry'],
  [7, 'REQUEST_TIMED_OUT', 'retry'],
  [19, 'NOT_ENOUGH_REPLICAS', 'retry'],
  [20, 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'retry'],
  [56, 'KAFKA_STORAGE_ERROR', 'retry'],
  [10, 'MESSAGE_TOO_LARGE', 'too large'],
  [18, 'RECORD_LIST_TOO_LARGE', 'too large'],
  [45, 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'new identity'],
  [59, 'UNKNOWN_PRODUCER_ID', 'new identity'],
  [29, 'TOPIC_AUTHORIZATION_FAILED', 'hold'],
  [44, 'POLICY_VIOLATION', 'hold'],
  [87, 'INVALID_RECORD', 'hold'],
  [12_345, 'ERROR_12345', 'retry'],
];

for (const [code, name, verdict] of CASES) {
  test(`${name} (${code}): ${verdict}`, () => {
    expect(classify(code)).toBe(verdict);
    if (code !== 0) expect(describeError(code).type).toBe(name);
  });
}
