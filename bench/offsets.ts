import { once } from 'node:events';
import { connect } from 'node:net';
import { Frames } from '../test/support/frames.ts';
import { array, int16, int32, int64, Reader, string } from '../test/support/wire.ts';

const LIST_OFFSETS = 2;
const LIST_OFFSETS_VERSION = 1;
const LATEST = -1;

/** Tells how much a topic has been given. */
export interface Offsets {
  /** The sum of the offsets at which its partitions end. */
  total(): Promise<number>;
  close(): void;
}

/** Asks with ListOffsets (Kafka protocol guide, version 1), over one connection: cheap to repeat. */
export async function openOffsets(
  broker: string,
  topic: string,
  partitions: number,
): Promise<Offsets> {
  const [host, port] = broker.split(':');
  const socket = connect(Number(port), host);
  socket.setNoDelay(true);
  await once(socket, 'connect');
  let answered: (total: number) => void = () => {};
  const frames = new Frames((frame) => answered(readOffsets(frame)));
  socket.on('data', (bytes: Buffer) => frames.push(bytes));
  const asked = Array.from({ length: partitions }, (_, partition) =>
    Buffer.concat([int32(partition), int64(LATEST)]),
  );
  const message = Buffer.concat([
    ...[int16(LIST_OFFSETS), int16(LIST_OFFSETS_VERSION), int32(0), string('bench'), int32(-1)],
    array([Buffer.concat([string(topic), array(asked)])]),
  ]);
  return {
    total() {
      socket.write(Buffer.concat([int32(message.length), message]));
      return new Promise((resolve) => {
        answered = resolve;
      });
    },
    close: () => socket.destroy(),
  };
}

function readOffsets(frame: Buffer): number {
  const reader = new Reader(frame.subarray(8));
  const [offsets] = reader.array(() => {
    reader.string();
    return reader.array(() => {
      reader.int32();
      const error = reader.int16();
      if (error !== 0) throw new Error(`Kafka does not tell its offsets: error ${error}`);
      reader.int64();
      return reader.int64();
    });
  });
  return offsets.reduce((sum, offset) => sum + offset, 0);
}
