import { COLON, DASH, SPACE } from './ascii.ts';
import type { Message } from './message.ts';
import type { TimestampReader } from './timestamp.ts';

const FIELDS = ['TIMESTAMP', 'HOSTNAME', 'APP-NAME', 'PROCID', 'MSGID', 'STRUCTURED-DATA'];
const STRUCTURED_DATA = 5;

/** Which field was missing or wrong, and where; only read after a failure. */
let failedField = 0;
let failedAt = 0;

/**
 * Reads `VERSION SP TIMESTAMP … [SP MSG]` (RFC 5424 §6) from `at`, where the
 * version is known to be 1. What can't be read becomes the text, with an error
 * that names the field and its column; a header that was whole is kept.
 */
export function parseRfc5424(message: Message, at: number, timestamps: TimestampReader): void {
  if (parseFields(message, at + 2, timestamps)) return;
  if (failedField === STRUCTURED_DATA) {
    message.setText(failedAt);
  } else {
    message.clearHeader();
    message.setText(at);
  }
  const column = failedAt - message.start + 1;
  message.error = `RFC 5424: ${FIELDS[failedField]} expected at column ${column}`;
}

/**
 * Reads RFC 5424 without its version, as some appliances send it. Only what is
 * complete counts, and an APP-NAME that ends in `:` is RFC 3164's TAG.
 * @returns whether it was that; if not, the message is as before
 */
export function parseUnversioned(
  message: Message,
  at: number,
  timestamps: TimestampReader,
): boolean {
  const { header: bytes, end } = message;
  const appname = afterToken(bytes, afterToken(bytes, at, end) + 1, end) + 1;
  const appnameEnd = afterToken(bytes, appname, end);
  if (appnameEnd >= end || bytes[appnameEnd - 1] === COLON) return false;
  if (parseFields(message, at, timestamps)) return true;
  message.clearHeader();
  message.hasText = false;
  return false;
}

function parseFields(message: Message, from: number, timestamps: TimestampReader): boolean {
  const { header: bytes, end } = message;
  let at = from;

  failedField = 0;
  failedAt = at;
  const timestampEnd = timestamps.readRfc5424(message, at);
  if (timestampEnd < 0) return false;
  at = timestampEnd;

  if (!fieldStarts(bytes, at, end, 1)) return false;
  message.hostnameStart = at + 1;
  at = message.hostnameEnd = afterToken(bytes, at + 1, end);
  if (isNil(bytes, message.hostnameStart, at)) message.hostnameEnd = message.hostnameStart;

  if (!fieldStarts(bytes, at, end, 2)) return false;
  message.appnameStart = at + 1;
  at = message.appnameEnd = afterToken(bytes, at + 1, end);
  if (isNil(bytes, message.appnameStart, at)) message.appnameEnd = message.appnameStart;

  if (!fieldStarts(bytes, at, end, 3)) return false;
  message.procidStart = at + 1;
  at = message.procidEnd = afterToken(bytes, at + 1, end);
  if (isNil(bytes, message.procidStart, at)) message.procidEnd = message.procidStart;

  if (!fieldStarts(bytes, at, end, 4)) return false;
  message.msgidStart = at + 1;
  at = message.msgidEnd = afterToken(bytes, at + 1, end);
  if (isNil(bytes, message.msgidStart, at)) message.msgidEnd = message.msgidStart;

  if (!fieldStarts(bytes, at, end, STRUCTURED_DATA)) return false;
  at += 1;
  if (bytes[at] === DASH) {
    at += 1;
  } else {
    at = message.structuredData.read(bytes, at, end);
    if (at < 0) return false;
  }
  if (at === end) return true;
  if (bytes[at] !== SPACE) {
    message.structuredData.clear();
    return false;
  }
  message.setText(hasByteOrderMark(bytes, at + 1, end) ? at + 4 : at + 1);
  return true;
}

/** Whether a space and then a field begin at `at`; remembers the field for the error. */
function fieldStarts(bytes: Uint8Array, at: number, end: number, field: number): boolean {
  failedField = field;
  failedAt = Math.min(at + 1, end);
  return at + 1 < end && bytes[at] === SPACE && bytes[at + 1] !== SPACE;
}

function afterToken(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== SPACE) at++;
  return at;
}

function isNil(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start === 1 && bytes[start] === DASH;
}

function hasByteOrderMark(bytes: Uint8Array, at: number, end: number): boolean {
  return at + 2 < end && bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf;
}
