import {
  ASTERISK,
  CLOSE_BRACKET,
  COLON,
  DASH,
  DOT,
  isDigit,
  OPEN_BRACKET,
  PERCENT,
  SPACE,
  UNDERSCORE,
} from './ascii.ts';
import type { Message } from './message.ts';
import { parseUnversioned } from './rfc5424.ts';
import type { TimestampReader } from './timestamp.ts';

const MAX_TAG_BYTES = 128;
const MAX_PROCID_BYTES = 128;

/** 1 for a byte that a TAG may hold: printable, and none of `[ ] " ' = ,`. */
const TAG_BYTE = new Uint8Array(256);
/** 1 for a byte that a HOSTNAME may hold; colons and `%` are for IPv6. */
const HOSTNAME_BYTE = new Uint8Array(256);
for (let byte = 0x21; byte < 256; byte++) {
  const char = String.fromCharCode(byte);
  if (byte !== 0x7f && !'[]"\'=,'.includes(char)) TAG_BYTE[byte] = 1;
  if (byte >= 0x80 || /[A-Za-z0-9]/.test(char)) HOSTNAME_BYTE[byte] = 1;
}
for (const byte of [DOT, DASH, UNDERSCORE, COLON, PERCENT]) HOSTNAME_BYTE[byte] = 1;

/**
 * Reads what follows the PRI of a BSD syslog message (RFC 3164 §4.1) and of the
 * many that only resemble it. It never fails: what is not recognised is text.
 * @param now ms since 1970, for timestamps without a year
 */
export function parseRfc3164(
  message: Message,
  from: number,
  now: number,
  timestamps: TimestampReader,
): void {
  const { header: bytes, end } = message;
  const at = from < end && bytes[from] === SPACE ? from + 1 : from;
  if (at < end && isDigit(bytes[at]) && parseUnversioned(message, at, timestamps)) return;
  const timed = parseTimestamp(message, at, now, timestamps);
  parseTag(
    message,
    timed >= 0 ? parseHostname(message, timed) : parseAfterSequence(message, at, now, timestamps),
  );
}

/**
 * Cisco's `123: *Oct 11 22:14:15: ` and `123: host: *Oct 11 22:14:15: `.
 * @returns where the TAG may begin: `at` itself where this is not Cisco's
 */
function parseAfterSequence(
  message: Message,
  at: number,
  now: number,
  timestamps: TimestampReader,
): number {
  const { header: bytes, end } = message;
  let digitsEnd = at;
  while (digitsEnd < end && isDigit(bytes[digitsEnd])) digitsEnd++;
  if (digitsEnd === at || !isColonSpace(bytes, digitsEnd, end)) return at;
  let next = digitsEnd + 2;
  let timed = parseTimestamp(message, next, now, timestamps);
  if (timed < 0) {
    const hostnameEnd = skipHostname(bytes, next, end);
    // The hostname's own scan takes the colon that ends it here.
    if (hostnameEnd < next + 2 || !isColonSpace(bytes, hostnameEnd - 1, end)) return at;
    timed = parseTimestamp(message, hostnameEnd + 1, now, timestamps);
    if (timed < 0) return at;
    message.hostnameStart = next;
    message.hostnameEnd = hostnameEnd - 1;
  }
  message.sequenceIdStart = at;
  message.sequenceIdEnd = digitsEnd;
  next = timed;
  if (message.hostnameEnd === message.hostnameStart) return parseHostname(message, next);
  if (bytes[next] === COLON && next < end) next++;
  return bytes[next] === SPACE && next < end ? next + 1 : next;
}

/** Reads a timestamp with Cisco's mark before it; -1 if there is none. */
function parseTimestamp(
  message: Message,
  at: number,
  now: number,
  timestamps: TimestampReader,
): number {
  const { header: bytes, end } = message;
  const isMarked = at < end && (bytes[at] === ASTERISK || bytes[at] === DOT);
  const start = isMarked ? at + 1 : at;
  const timed = isDigit(bytes[start])
    ? timestamps.readIso(message, start, now)
    : timestamps.readRfc3164(message, start, now);
  if (timed >= 0) message.unsynced = isMarked;
  return timed;
}

/** Reads the HOSTNAME after a timestamp; returns where the TAG may begin. */
function parseHostname(message: Message, from: number): number {
  const { header: bytes, end } = message;
  let at = from;
  if (at < end && bytes[at] === COLON) {
    at += 1;
    return at < end && bytes[at] === SPACE ? at + 1 : at;
  }
  if (at < end) at += 1;
  const hostnameEnd = skipHostname(bytes, at, end);
  if (hostnameEnd === at || (hostnameEnd < end && bytes[hostnameEnd] !== SPACE)) return at;
  if (bytes[hostnameEnd - 1] === COLON && !isIpv6(bytes, at, hostnameEnd)) return at;
  if (hostnameEnd - at > 1 || bytes[at] !== DASH) {
    message.hostnameStart = at;
    message.hostnameEnd = hostnameEnd;
  }
  return hostnameEnd < end ? hostnameEnd + 1 : hostnameEnd;
}

/** Reads `app: `, `app[123]: ` or `app[123] `, and takes the rest as the text. */
function parseTag(message: Message, at: number): void {
  const { header: bytes, end } = message;
  let text = at;
  if (at < end && bytes[at] !== COLON) {
    let next = at;
    while (next < end && TAG_BYTE[bytes[next]] === 1) {
      if (bytes[next] === COLON && isBlank(bytes, next + 1, end)) break;
      next++;
    }
    if (next > at && next - at <= MAX_TAG_BYTES && next < end) {
      if (bytes[next] === COLON) {
        message.appnameStart = at;
        message.appnameEnd = next;
        text = next + 1;
      } else if (bytes[next] === OPEN_BRACKET) {
        text = parseProcid(message, at, next);
      }
    }
    if (text > at && text < end && bytes[text] === SPACE) text += 1;
  }
  message.setText(text);
}

/** Reads `[123]:` behind an application's name; `start` if it is no TAG. */
function parseProcid(message: Message, start: number, open: number): number {
  const { header: bytes, end } = message;
  const limit = Math.min(end, open + 2 + MAX_PROCID_BYTES);
  let close = open + 1;
  let allDigits = true;
  while (close < limit && bytes[close] !== CLOSE_BRACKET) {
    const byte = bytes[close];
    if (byte === SPACE || byte === OPEN_BRACKET) return start;
    if (!isDigit(byte)) allDigits = false;
    close++;
  }
  if (close >= limit || close === open + 1) return start;
  const hasColon = close + 1 < end && bytes[close + 1] === COLON;
  if (!hasColon && !(allDigits && isBlank(bytes, close + 1, end))) return start;
  message.appnameStart = start;
  message.appnameEnd = open;
  message.procidStart = open + 1;
  message.procidEnd = close;
  return hasColon ? close + 2 : close + 1;
}

function skipHostname(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && HOSTNAME_BYTE[bytes[at]] === 1) at++;
  return at;
}

/** Only hex digits and at least two colons, as an address like `fe80::`. */
function isIpv6(bytes: Uint8Array, start: number, end: number): boolean {
  let colons = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    const letter = byte | 0x20;
    if (byte === COLON) colons++;
    else if (!isDigit(byte) && !(letter >= 0x61 && letter <= 0x66)) return false;
  }
  return colons >= 2;
}

function isBlank(bytes: Uint8Array, at: number, end: number): boolean {
  return at >= end || bytes[at] === SPACE;
}

function isColonSpace(bytes: Uint8Array, at: number, end: number): boolean {
  return at + 1 < end && bytes[at] === COLON && bytes[at + 1] === SPACE;
}
