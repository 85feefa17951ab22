import { createFormat, type FormatName } from '../../src/syslog/format.ts';
import { Framer } from '../../src/syslog/framing.ts';

/** Releasing takes its time: single bytes are kept. */
const LEAST_RELEASED = 16;

export interface PipelineOptions {
  maxMessageBytes?: number;
  format?: FormatName;
  now?: number;
}

/** What becomes of a stream that comes in these chunks: bytes → frames → values. */
export function values(chunks: Uint8Array[], options: PipelineOptions = {}): Uint8Array[] {
  const { maxMessageBytes = 131_072, format = 'json', now = Date.now() } = options;
  const framer = new Framer(maxMessageBytes);
  const { formatter: createFormatter, bound } = createFormat(format);
  const formatter = createFormatter();
  const out = new Uint8Array(bound(maxMessageBytes));
  const made: Uint8Array[] = [];
  const take = () => {
    while (framer.next()) {
      const end = formatter.write(framer, out, 0, now);
      if (end > formatter.bound(framer)) throw new Error('the value is over its bound');
      made.push(out.slice(0, end));
    }
  };
  for (const chunk of chunks) {
    // As a runtime may do it, whose chunks are released: nothing may be kept of them.
    const released = new Uint8Array(chunk);
    framer.push(released);
    take();
    if (chunk.length >= LEAST_RELEASED) released.buffer.transfer(0);
  }
  framer.finish();
  take();
  return made;
}

/** The same as text. */
export function documents(chunks: Uint8Array[], options: PipelineOptions = {}): string[] {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return values(chunks, options).map((value) => decoder.decode(value));
}
