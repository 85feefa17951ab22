/**
 * Moves a cut back, by at most three bytes, so that it does not split a UTF-8
 * character. Bytes that are no UTF-8 are cut where asked.
 * @returns an offset in (start, cut]
 */
export function characterBoundary(bytes: Uint8Array, start: number, cut: number): number {
  for (let at = cut; at > start && at > cut - 4; at--) {
    if ((bytes[at] & 0xc0) !== 0x80) return at;
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
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  let low = 0x80;
  let high = 0xbf;
  if (first === 0xe0) low = 0xa0;
  else if (first === 0xed) high = 0x9f;
  else if (first === 0xf0) low = 0x90;
  else if (first === 0xf4) high = 0x8f;
  for (let i = 1; i < length; i++) {
    if (at + i >= end || bytes[at + i] < low || bytes[at + i] > high) return -i;
    low = 0x80;
    high = 0xbf;
  }
  return length;
}
