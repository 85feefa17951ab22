import { LESS_THAN } from '../syslog/ascii.ts';

/** What people send to a port by mistake. */
export type Protocol = 'TLS' | 'HTTP' | 'RELP' | 'plain syslog';

/** TLS's record type 22, handshake, and the major version that all of them have. */
const TLS_HANDSHAKE = [0x16, 0x03];
const HTTP_REQUEST = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|CONNECT|PATCH) \S+ HTTP\/\d/;
const RELP_OPEN = /^\d{1,9} open \d+ /;
const SYSLOG = /^(\d{1,9} )?<\d{1,3}>/;
/** Enough of a frame to hold a usual request line. */
const REQUEST_LINE_BYTES = 512;

/**
 * Guesses whether a syslog stream's first frame is the beginning of another protocol.
 * @returns its name, or undefined
 */
export function foreignProtocol(
  bytes: Uint8Array,
  start: number,
  end: number,
): Protocol | undefined {
  if (bytes[start] === LESS_THAN) return undefined;
  const protocol = guessProtocol(bytes, start, end);
  return protocol === 'plain syslog' ? undefined : protocol;
}

/** Guesses what begins so. @returns undefined where it is none of these */
export function guessProtocol(bytes: Uint8Array, start: number, end: number): Protocol | undefined {
  if (bytes[start] === TLS_HANDSHAKE[0] && bytes[start + 1] === TLS_HANDSHAKE[1]) return 'TLS';
  const beginning = bytes.subarray(start, Math.min(end, start + REQUEST_LINE_BYTES));
  const line = new TextDecoder('latin1').decode(beginning);
  if (HTTP_REQUEST.test(line)) return 'HTTP';
  if (RELP_OPEN.test(line)) return 'RELP';
  return SYSLOG.test(line) ? 'plain syslog' : undefined;
}
