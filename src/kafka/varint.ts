/**
 * Kafka's variable-length integers: zigzag, then seven bits a byte, the lowest
 * first (as Protocol Buffers' sint32). Only for numbers from 0 to {@link MAX_VARINT}.
 */

/** The largest number that these functions take. */
export const MAX_VARINT = 2 ** 30;

/** How many bytes {@link writeVarint} takes for a number that is not negative. */
export function varintLength(value: number): number {
  if (value < 1 << 6) return 1;
  if (value < 1 << 13) return 2;
  if (value < 1 << 20) return 3;
  return value < 1 << 27 ? 4 : 5;
}

/** Writes a number that is not negative; returns the offset behind it. */
export function writeVarint(out: Uint8Array, offset: number, value: number): number {
  let at = offset;
  let rest = value * 2;
  while (rest >= 0x80) {
    out[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[at++] = rest;
  return at;
}

/** Reads what {@link writeVarint} wrote. */
export function readVarint(bytes: Uint8Array, offset: number): { value: number; end: number } {
  let at = offset;
  let value = 0;
  let shift = 0;
  for (; bytes[at] >= 0x80; at++, shift += 7) value |= (bytes[at] & 0x7f) << shift;
  value |= bytes[at] << shift;
  return { value: value >>> 1, end: at + 1 };
}
