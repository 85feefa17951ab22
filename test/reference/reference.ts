import { document } from './document.ts';
import type { Fields } from './fields.ts';
import { type Frame, frames } from './framing.ts';
import { parse } from './parse.ts';

/** A longer header is not repeated in every part. */
const MAX_REPEATED_BYTES = 4096;

/** The values of `--format raw`: each frame as it came. */
export function referenceFrames(stream: Uint8Array, maxMessageBytes: number): Buffer[] {
  return frames(latin1(stream), maxMessageBytes).map(({ text }) => Buffer.from(text, 'latin1'));
}

/** The values of `--format json`. */
export function referenceDocuments(
  stream: Uint8Array,
  maxMessageBytes: number,
  now: number,
): string[] {
  let header: Fields = { facility: 1, severity: 5 };
  return frames(latin1(stream), maxMessageBytes).map((frame) => {
    const fields = frame.part > 1 ? laterPart(header, frame) : parse(withoutLineEnd(frame), now);
    if (frame.part === 1) header = repeatable(fields, frame);
    return document(fields, frame);
  });
}

/** What later parts repeat: not structured data, and no header that is very long. */
function repeatable(fields: Fields, { text }: Frame): Fields {
  const { facility, severity, message = '' } = fields;
  const headerLength = text.length - message.length;
  if (headerLength > MAX_REPEATED_BYTES) return { facility, severity };
  return { ...fields, structuredData: undefined, error: undefined };
}

/** A later part is text, whatever it looks like. */
function laterPart(header: Fields, { text }: Frame): Fields {
  return { ...header, message: text };
}

/** Senders that count octets often count a line end, which is no part of the message. */
function withoutLineEnd({ text, part }: Frame): string {
  return part === 0 ? text.replace(/\r?\n$/, '') : text;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
