import { LESS_THAN } from '../syslog/ascii.ts';

/** What people send to a syslog port by mistake. */
export type ForeignProtocol = 'TLS' | 'HTTP';

/** TLS's record type 22, handshake, and the major version that all of them have. */
const TLS_HANDSHAKE = [0x16, 0x03];
const HTTP_REQUEST = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|CONNECT|PATCH) \S+ HTTP\/\d/;
/** Enough of a frame to hold a usual request line. */
const REQUEST_LINE_BYTES = 512;

/**
 * Guesses whether a stream's first frame is the beginning of another protocol.
 * @returns its name, or undefined
 */
export function foreignProtocol(
  bytes: Uint8Array,
  start: number,
  end: number,
): ForeignProtocol | undefined {
  if (bytes[start] === LESS_THAN) return undefined;
  if (bytes[start] === TLS_HANDSHAKE[0] && bytes[start + 1] === TLS_HANDSHAKE[1]) return 'TLS';
  const line = bytes.subarray(start, Math.min(end, start + REQUEST_LINE_BYTES));
  return HTTP_REQUEST.test(new TextDecoder('latin1').decode(line)) ? 'HTTP' : undefined;
}
