/**
 * Moves a cut back, by at most three bytes, so that it does not split a UTF-8
 * character. Bytes that are no UTF-8 are cut where asked.
 * @returns an offset in (start, cut]
 */
export function characterBoundary(bytes: Uint8Array, start: number, cut: number): number {
  for (let at = cut; at > start && at > cut - 4; at--) {
    if (!isContinuation(bytes[at])) return at;
  }
  return cut;
}

/**
 * The length of the well-formed UTF-8 character at `at`, whose first byte is 0x80
 * or more (Unicode 15, table 3-7: no overlong forms, no surrogates).
 * @returns 2–4, or, where it is ill-formed, minus the length of the maximal
 * subpart, which one U+FFFD stands for
 */
export function multibyteLength(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at];
  if (first < 0xc2 || first > 0xf4) return -1;
  if (first < 0xe0) return at + 1 < end && isContinuation(bytes[at + 1]) ? 2 : -1;
  // What the second byte may be keeps out overlong forms, surrogates and what is above U+10FFFF.
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (at + 1 >= end || bytes[at + 1] < low || bytes[at + 1] > high) return -1;
  if (at + 2 >= end || !isContinuation(bytes[at + 2])) return -2;
  if (first < 0xf0) return 3;
  return at + 3 < end && isContinuation(bytes[at + 3]) ? 4 : -3;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
