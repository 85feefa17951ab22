import { goldenCases } from './golden.ts';
import { numberedLine } from './lines.ts';
import { concat, enframe, mutate } from './mutate.ts';

type Random = (limit: number) => number;

/** What the golden cases have little of: many names, and times at which an offset changes. */
const MORE_LINES = [
  `<13>1 - h a p m [x ${numbers(40, (n) => `n${Math.min(n, 35)}="${n}"`, ' ')}] many parameters`,
  `<13>1 - h a p m ${numbers(40, (n) => `[n${Math.min(n, 35)} a="${n}"]`, '')} many elements`,
  `<13>1 - h a p m [x ${numbers(31, (n) => `n${n}="${n}"`, ' ')}][y a="1" a="2"] fewer`,
  ...['Mar  8 01:59:59', 'Mar  8 02:30:00', 'Mar 8 03:00:00', 'Nov  1 01:30:00', 'Nov  1 02:00:00']
    .flatMap((time) => [time, `${time} 2025`, `*${time}.5 UTC:`])
    .map((time) => `<13>${time} host app[1]: x`),
  ...[
    '2026-03-08 02:30:00',
    '2026-11-01T01:59:59.123',
    '2026-07-01 00:00:00',
    '0000-01-01 00:00:00',
  ].map((time) => `<13>${time} host app: x`),
];

const lines = [
  ...goldenCases()
    .filter(({ input }) => input.length < 2_000)
    .flatMap(({ input }) => Buffer.from(input).toString('latin1').split('\n'))
    .map((line) => Buffer.from(line, 'latin1')),
  ...MORE_LINES.map((line) => Buffer.from(line)),
];

/** A stream of so many frames, some of them wrong, and a few longer than `maxMessageBytes`. */
export function fuzzedStream(frames: number, maxMessageBytes: number, random: Random): Uint8Array {
  return concat(
    Array.from({ length: frames }, () => {
      const frame = mutate(pickLine(random), random);
      const isLong = random(200) === 0;
      return enframe(isLong ? stretch(frame, random(3 * maxMessageBytes), random) : frame, random);
    }),
  );
}

function pickLine(random: Random): Uint8Array {
  if (random(200) === 0) return Buffer.from(longHeader(4_070 + random(14)));
  const kind = random(12);
  if (kind === 0) return Buffer.from(numberedLine(random(100_000), 'rfc3164'));
  if (kind === 1) return Buffer.from(numberedLine(random(100_000), 'rfc5424'));
  return lines[random(lines.length)];
}

/** Its header has about 4,096 bytes: later parts repeat it just so, or no more. */
function longHeader(hostnameBytes: number): string {
  return `<13>1 - ${'h'.repeat(hostnameBytes)} a p m - ${'x'.repeat(1_500)}`;
}

/** Repeats a piece from somewhere in a frame until it has about that length. */
function stretch(frame: Uint8Array, length: number, random: Random): Uint8Array {
  const start = random(frame.length);
  const end = start + 1 + random(40);
  const piece = frame.subarray(start, end);
  if (piece.length === 0) return frame;
  const times = Math.ceil(length / piece.length);
  return concat([frame.subarray(0, start), ...Array(times).fill(piece), frame.subarray(end)]);
}

function numbers(count: number, text: (n: number) => string, separator: string): string {
  return Array.from({ length: count }, (_, n) => text(n)).join(separator);
}
