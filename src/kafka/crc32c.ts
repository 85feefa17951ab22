/** CRC-32C's polynomial, reflected (RFC 3720 appendix B.4). */
const POLYNOMIAL = 0x82f63b78;

/** Sixteen tables of 256: `T[256 * k + b]` advances byte `b` over `k` more bytes. */
const T = new Int32Array(16 * 256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  T[byte] = crc;
}
for (let i = 256; i < T.length; i++) {
  const previous = T[i - 256];
  T[i] = (previous >>> 8) ^ T[previous & 0xff];
}

/**
 * CRC-32C (Castagnoli) of `bytes` from `start` to `end`, sixteen bytes a step. Only on
 * machines whose words begin with the lowest byte, as all that we build for.
 * @param bytes begin at a multiple of four in their buffer
 * @returns an unsigned 32-bit number
 */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
  let crc = -1;
  let at = start;
  for (; at < end && (at & 3) !== 0; at++) crc = (crc >>> 8) ^ T[(crc ^ bytes[at]) & 0xff];
  let i = (at + 3) >> 2;
  for (const stop = (end >> 2) - 3; i < stop; i += 4) {
    const b = words[i + 1];
    const c = words[i + 2];
    const d = words[i + 3];
    // What does not depend on the step before comes first: it need not be waited for.
    const later =
      T[2816 + (b & 0xff)] ^
      T[2560 + ((b >>> 8) & 0xff)] ^
      T[2304 + ((b >>> 16) & 0xff)] ^
      T[2048 + (b >>> 24)] ^
      T[1792 + (c & 0xff)] ^
      T[1536 + ((c >>> 8) & 0xff)] ^
      T[1280 + ((c >>> 16) & 0xff)] ^
      T[1024 + (c >>> 24)] ^
      T[768 + (d & 0xff)] ^
      T[512 + ((d >>> 8) & 0xff)] ^
      T[256 + ((d >>> 16) & 0xff)] ^
      T[d >>> 24];
    const a = crc ^ words[i];
    crc =
      later ^
      T[3840 + (a & 0xff)] ^
      T[3584 + ((a >>> 8) & 0xff)] ^
      T[3328 + ((a >>> 16) & 0xff)] ^
      T[3072 + (a >>> 24)];
  }
  for (at = i << 2; at < end; at++) crc = (crc >>> 8) ^ T[(crc ^ bytes[at]) & 0xff];
  return ~crc >>> 0;
}
