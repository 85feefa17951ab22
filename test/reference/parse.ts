import type { Fields } from './fields.ts';
import { rfc3164 } from './rfc3164.ts';
import { rfc5424, rfc5424WithoutVersion } from './rfc5424.ts';

/** Its number is 8 · facility + severity, at most 191. */
const PRI = /^<(\d{1,3})>/;
const VERSION = '1 ';

/** Reads a frame as RFC 5424, else as RFC 3164, which takes any text. */
export function parse(frame: string, now: number): Fields {
  const [pri, digits] = PRI.exec(frame) ?? ['', 'none'];
  const priority = Number(digits);
  if (!(priority <= 191)) {
    return { facility: 1, severity: 5, message: frame, error: 'PRI expected at column 1' };
  }
  const body = frame.slice(pri.length);
  // Some senders have a space before the date.
  const text = body.replace(/^ /, '');
  const fields = body.startsWith(VERSION)
    ? rfc5424(body, pri.length + 1)
    : (rfc5424WithoutVersion(text) ?? rfc3164(text, now));
  return { facility: Math.floor(priority / 8), severity: priority % 8, ...fields };
}
