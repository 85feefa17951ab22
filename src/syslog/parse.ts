import { GREATER_THAN, isDigit, LESS_THAN, ONE, SPACE, ZERO } from './ascii.ts';
import type { Frame } from './cutter.ts';
import type { Message } from './message.ts';
import { parseRfc3164 } from './rfc3164.ts';
import { parseRfc5424 } from './rfc5424.ts';
import type { TimestampReader } from './timestamp.ts';

/** facility local7, severity debug */
const MAX_PRIORITY = 191;

/**
 * Reads a frame: RFC 5424, else RFC 3164 and its relatives, else the whole frame is
 * the text and `error` says why. It reads every frame; nothing is refused.
 * @param now the time of arrival in ms since 1970, for timestamps without a year
 * @param timestamps reads the times of messages, in the daemon's zone
 */
export function parse(
  message: Message,
  frame: Frame,
  now: number,
  timestamps: TimestampReader,
): void {
  message.begin(frame);
  const { header: bytes, start, end } = message;
  const at = parsePriority(message);
  if (at < 0) {
    message.error = 'PRI expected at column 1';
    message.setText(start);
  } else if (at + 1 < end && bytes[at] === ONE && bytes[at + 1] === SPACE) {
    parseRfc5424(message, at, timestamps);
  } else {
    parseRfc3164(message, at, now, timestamps);
  }
}

/** @returns the offset behind the PRI (RFC 5424 §6.2.1), or -1 if there is none */
function parsePriority(message: Message): number {
  const { header: bytes, start, end } = message;
  if (bytes[start] !== LESS_THAN) return -1;
  let at = start + 1;
  let priority = 0;
  while (at < end && at <= start + 3 && isDigit(bytes[at])) {
    priority = priority * 10 + bytes[at++] - ZERO;
  }
  if (at === start + 1 || at >= end || bytes[at] !== GREATER_THAN) return -1;
  if (priority > MAX_PRIORITY) return -1;
  message.facility = priority >> 3;
  message.severity = priority & 7;
  return at + 1;
}
