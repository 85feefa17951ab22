import { once } from 'node:events';
import { connect } from 'node:net';
import { Frames } from '../test/support/frames.ts';
import { array, int8, int16, int32, int64, Reader, string } from '../test/support/wire.ts';

const FETCH = 1;
const FETCH_VERSION = 4;
/** The broker answers at once when there is something, else after this time, in ms. */
const MAX_WAIT_MS = 500;
const MAX_BYTES = 1_048_576;

/** Reads a partition as records come to it. */
export interface Follower {
  /** Resolves when a record that holds this text can be read. */
  waitFor(text: string): Promise<void>;
  close(): void;
}

/**
 * Follows a partition from its beginning with one Fetch request after another (Kafka protocol
 * guide, version 4). A client of our own, since the usual ones gather for some milliseconds.
 */
export async function followPartition(
  broker: string,
  topic: string,
  partition: number,
): Promise<Follower> {
  const [host, port] = broker.split(':');
  const socket = connect(Number(port), host);
  socket.setNoDelay(true);
  await once(socket, 'connect');
  let wanted = '';
  let found: () => void = () => {};
  const frames = new Frames((frame) => {
    const { records, next } = readFetch(frame);
    if (wanted !== '' && records.includes(wanted)) found();
    socket.write(fetchRequest(topic, partition, next));
  });
  socket.on('data', (bytes: Buffer) => frames.push(bytes));
  socket.write(fetchRequest(topic, partition, 0));
  return {
    waitFor(text) {
      wanted = text;
      return new Promise((resolve) => {
        found = resolve;
      });
    },
    close: () => socket.destroy(),
  };
}

function fetchRequest(topic: string, partition: number, offset: number): Buffer {
  const partitions = array([Buffer.concat([int32(partition), int64(offset), int32(MAX_BYTES)])]);
  const message = Buffer.concat([
    ...[int16(FETCH), int16(FETCH_VERSION), int32(0), string('bench')],
    // replica_id, max_wait_ms, min_bytes, max_bytes, isolation_level
    ...[int32(-1), int32(MAX_WAIT_MS), int32(1), int32(MAX_BYTES), int8(0)],
    array([Buffer.concat([string(topic), partitions])]),
  ]);
  return Buffer.concat([int32(message.length), message]);
}

/** @returns the records' bytes, and where the next ones will be */
function readFetch(frame: Buffer): { records: Buffer; next: number } {
  const reader = new Reader(frame.subarray(8));
  reader.int32(); // throttle_time_ms
  const [answer] = reader.array(() => {
    reader.string();
    const [partition] = reader.array(() => {
      reader.int32();
      const error = reader.int16();
      if (error !== 0) throw new Error(`Kafka refuses to be read: error ${error}`);
      const next = reader.int64();
      reader.int64(); // last_stable_offset
      for (let aborted = reader.int32(); aborted > 0; aborted--) {
        reader.int64();
        reader.int64();
      }
      return { records: reader.bytes(), next };
    });
    return partition;
  });
  return answer;
}
