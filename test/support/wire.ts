import { connect } from 'node:net';

/** Reads the fields of a Kafka response one after another. */
export class Reader {
  private at = 0;
  private readonly buffer: Buffer;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  int8(): number {
    this.at += 1;
    return this.buffer.readInt8(this.at - 1);
  }

  int16(): number {
    this.at += 2;
    return this.buffer.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.buffer.readInt32BE(this.at - 4);
  }

  int64(): number {
    this.at += 8;
    return Number(this.buffer.readBigInt64BE(this.at - 8));
  }

  /** Bytes behind their length, which is -1 for none. */
  bytes(): Buffer {
    const length = Math.max(0, this.int32());
    this.at += length;
    return this.buffer.subarray(this.at - length, this.at);
  }

  string(): string | null {
    const length = this.int16();
    if (length < 0) return null;
    this.at += length;
    return this.buffer.toString('utf8', this.at - length, this.at);
  }

  array<T>(item: () => T): T[] {
    return Array.from({ length: this.int32() }, item);
  }
}

export const int8 = (value: number): Buffer => Buffer.from([value]);

export const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};

export const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

export const int64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
};

export const string = (value: string): Buffer =>
  Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);

export const array = (items: Buffer[]): Buffer => Buffer.concat([int32(items.length), ...items]);

/** One Kafka request on a connection of its own, for what kafkajs doesn't offer. */
export function request(
  port: number,
  apiKey: number,
  apiVersion: number,
  body: Buffer,
  timeoutMs = 2000,
): Promise<Reader> {
  const header = [int16(apiKey), int16(apiVersion), int32(1), string('test')];
  const message = Buffer.concat([...header, body]);
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const timer = setTimeout(() => fail(new Error('no answer')), timeoutMs);
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    let answer = Buffer.alloc(0);
    socket.once('connect', () => socket.write(Buffer.concat([int32(message.length), message])));
    socket.once('error', fail);
    socket.once('close', () => fail(new Error('connection closed')));
    socket.on('data', (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length < 4 || answer.length < 4 + answer.readInt32BE()) return;
      clearTimeout(timer);
      socket.destroy();
      resolve(new Reader(answer.subarray(8)));
    });
  });
}
