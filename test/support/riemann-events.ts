import type { RiemannEvent } from '../../src/riemann/protocol.ts';

type Random = (limit: number) => number;

const TEXTS = [
  '',
  'ok',
  'syslogger received',
  'web01.example.org',
  'naïve ☕ 😀 \u{10ffff}',
  '"quoted" \\ {a: 1}\n\r\t\0\x7f',
  '\ufeffmark',
  '__proto__',
  'long '.repeat(100),
];

const METRICS = [
  ...[0, 1, -1, 63, 64, -64, -65, 127, 128, 2 ** 31, -(2 ** 31), 2 ** 32 + 1],
  ...[Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 53, -(2 ** 60), 1e300],
  ...[0.1, -0.5, 1 / 3, 5e-324, Number.MAX_VALUE, 1_234_567.891],
];

const TIMES = [0, 1, -1, 127, 128, 1_760_000_000, -1_000_000_000, 2 ** 40, -(2 ** 53) + 1];

/** An event with some fields or all, each as all of Riemann's implementations can hold it. */
export function randomEvent(random: Random): RiemannEvent {
  const pick = <T>(values: T[]) => values[random(values.length)];
  const texts = () => Array.from({ length: 1 + random(3) }, () => pick(TEXTS));
  const all: RiemannEvent = {
    time: pick(TIMES),
    timeMicros: pick(TIMES),
    state: pick(TEXTS),
    service: pick(TEXTS),
    host: pick(TEXTS),
    description: pick(TEXTS),
    tags: texts(),
    ttl: Math.fround(pick([0, 0.1, 10, 3600.5, -1, 1e30])),
    attributes: Object.fromEntries(texts().map((key) => [key, pick(TEXTS)])),
    metric: random(2) === 0 ? pick(METRICS) : (random(2 ** 31) - 2 ** 30) / pick([1, 3, 1000]),
  };
  const isWhole = random(4) === 0;
  const entries = Object.entries(all).filter(() => isWhole || random(2) === 0);
  return Object.fromEntries(entries) as RiemannEvent;
}
