/** CRC-32C's polynomial, reflected (RFC 3720 appendix B.4). */
const POLYNOMIAL = 0x82f63b78;

/** Eight tables of 256: `TABLES[256 * k + b]` advances byte `b` over `k` more bytes. */
const TABLES = new Int32Array(8 * 256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  TABLES[byte] = crc;
}
for (let i = 256; i < TABLES.length; i++) {
  const previous = TABLES[i - 256];
  TABLES[i] = (previous >>> 8) ^ TABLES[previous & 0xff];
}

/**
 * CRC-32C (Castagnoli) of `bytes` from `start` to `end`, eight bytes a step.
 * @returns an unsigned 32-bit number
 */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    crc ^= bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    crc =
      TABLES[1792 + (crc & 0xff)] ^
      TABLES[1536 + ((crc >>> 8) & 0xff)] ^
      TABLES[1280 + ((crc >>> 16) & 0xff)] ^
      TABLES[1024 + (crc >>> 24)] ^
      TABLES[768 + bytes[at + 4]] ^
      TABLES[512 + bytes[at + 5]] ^
      TABLES[256 + bytes[at + 6]] ^
      TABLES[bytes[at + 7]];
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ TABLES[(crc ^ bytes[at]) & 0xff];
  return ~crc >>> 0;
}
