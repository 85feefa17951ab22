// kafkajs's reader of record batches, an independent check on our writer.

declare module 'kafkajs/src/protocol/decoder.js' {
  export default class Decoder {
    constructor(bytes: Buffer);
  }
}

declare module 'kafkajs/src/protocol/recordBatch/v0/decoder.js' {
  import type Decoder from 'kafkajs/src/protocol/decoder.js';

  export default function decode(decoder: Decoder): Promise<{
    firstSequence: number;
    producerId: string;
    producerEpoch: number;
    lastOffsetDelta: number;
    maxTimestamp: string;
    records: { key: Buffer | null; value: Buffer; timestamp: string }[];
  }>;
}
