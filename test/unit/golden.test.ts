import { beforeAll, expect, test } from 'bun:test';
import { goldenCases } from '../support/golden.ts';
import { documents } from '../support/pipeline.ts';

/** The folder's README tells what these are. */
const NOW = Date.UTC(2026, 9, 15, 12);

beforeAll(() => {
  process.env.TZ = 'UTC';
});

for (const { name, input, expected, options } of goldenCases()) {
  test(`golden: ${name}`, () => {
    expect(documents([input], { now: NOW, ...options })).toEqual(expected);
  });

  test(`golden, byte by byte: ${name}`, () => {
    const bytes = Array.from(input, (byte) => Uint8Array.of(byte));
    // A count of a gigabyte and the like: the pieces must not matter, only be fewer.
    const pieces = bytes.length > 20_000 ? cutInto(input, 997) : bytes;
    expect(documents(pieces, { now: NOW, ...options })).toEqual(expected);
  });
}

function cutInto(bytes: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.slice(at, at + size));
  return pieces;
}
