import type { Frame } from './cutter.ts';
import { documentBound, writeDocument } from './document.ts';
import { Message } from './message.ts';
import { parse } from './parse.ts';
import { splitDocument } from './split.ts';
import { TimestampReader } from './timestamp.ts';

/** The formats that a record's value can have. */
export const FORMATS = ['json', 'raw'] as const;
/** The name of a format. */
export type FormatName = (typeof FORMATS)[number];

/** Turns the frames of one stream, in their order, into record values. */
export interface Formatter {
  /** The most bytes that this frame's value can take. */
  bound(frame: Frame): number;
  /**
   * Writes a frame's value into `out`, which has room for {@link bound} bytes from `at`.
   * @param now the time of arrival, ms since 1970
   * @returns the offset behind the value
   */
  write(frame: Frame, out: Uint8Array, at: number, now: number): number;
  /** Why the frame last written could not be read, or empty if it could. */
  readonly error: string;
}

/** How values are made, and made smaller. */
export interface Format {
  /** A formatter for a new stream. */
  formatter(): Formatter;
  /** The most bytes that the value of a frame of this length can take. */
  bound(frameBytes: number): number;
  /**
   * Cuts a value that the topic does not take into values of at most `maxBytes`,
   * which together hold the same.
   * @returns null where `maxBytes` is too small for that
   */
  split(value: Uint8Array, maxBytes: number): Uint8Array[] | null;
}

/** The format of that name. */
export function createFormat(name: FormatName): Format {
  return name === 'json' ? createJson() : raw;
}

function createJson(): Format {
  const timestamps = new TimestampReader();
  return {
    formatter: () => new JsonFormatter(timestamps),
    bound: (frameBytes) => documentBound(frameBytes, 2),
    split: splitDocument,
  };
}

/** The value is the frame, byte for byte. */
const raw: Format = {
  formatter: () => rawFormatter,
  bound: (frameBytes) => frameBytes,
  split(value, maxBytes) {
    if (maxBytes < 1) return null;
    const parts: Uint8Array[] = [];
    for (let at = 0; at < value.length; at += maxBytes) {
      parts.push(value.subarray(at, at + maxBytes));
    }
    return parts;
  },
};

const rawFormatter: Formatter = {
  error: '',
  bound: (frame) => frame.end - frame.start,
  write(frame, out, at) {
    const { bytes, start, end } = frame;
    out.set(bytes.subarray(start, end), at);
    return at + end - start;
  },
};

/** Filled anew for each frame of every stream. */
const message = new Message();

class JsonFormatter implements Formatter {
  error = '';
  /** Holds part 1's header while a frame comes in parts. */
  private continuation: Message | undefined;
  private readonly timestamps: TimestampReader;

  constructor(timestamps: TimestampReader) {
    this.timestamps = timestamps;
  }

  bound(frame: Frame): number {
    return documentBound(frame.end - frame.start, frame.part);
  }

  write(frame: Frame, out: Uint8Array, at: number, now: number): number {
    const read = frame.part > 1 && this.continuation ? this.continuation : message;
    if (read === message) {
      parse(message, frame, now, this.timestamps);
      this.continuation = frame.part === 1 ? message.continuation() : undefined;
    } else {
      read.continueWith(frame);
    }
    if (frame.promised > 0) {
      const cut = `octet count ${frame.promised} but the stream ended after ${frame.arrived}`;
      read.error = read.error === '' ? cut : `${read.error}; ${cut}`;
    }
    this.error = read.error;
    return writeDocument(read, out, at);
  }
}
