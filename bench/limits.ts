import type { Named, Results } from './cases.ts';
import type { Throughput } from './throughput.ts';

/** Something that shall hold, and whether it did. */
export interface Limit {
  what: string;
  value: number;
  /** What the value may be at the least, or at the most. */
  atLeast?: number;
  atMost?: number;
  isKept: boolean;
}

const MEGABYTE = 1_000_000;

/** What we have promised ourselves, as far as it was measured. */
export function limits(results: Partial<Results>): Limit[] {
  return [
    ...throughputLimits(results.throughput ?? []),
    ...pacedLimits(results.paced),
    ...kindLimits(results.kinds),
    ...watchedLimits(results.watched),
    ...relpLimits(results.relp),
    ...latencyLimits(results.latency),
    ...startLimits(results.start),
  ];
}

function throughputLimits(cases: Results['throughput']): Limit[] {
  const least: Record<number, number> = { 1: 2, 100: 2, 1000: 3 };
  const memory: Record<number, number> = { 1: 200, 100: 200, 1000: 220 };
  return cases.flatMap(({ connections, figures }) => {
    const [ours, theirs] = both(figures);
    const over = `${connections} connections`;
    return [
      atLeast(
        `${over}: messages/s, of rsyslog's`,
        ours.messagesPerSecond / theirs.messagesPerSecond,
        least[connections],
      ),
      ...(connections === 1
        ? [atMost(`${over}: CPU a message, of rsyslog's`, ours.cpuMicros / theirs.cpuMicros, 0.35)]
        : []),
      atMost(`${over}: memory under load, MB`, ours.peakMemory / MEGABYTE, memory[connections]),
    ];
  });
}

function pacedLimits(cases: Results['paced'] = []): Limit[] {
  if (cases.length === 0) return [];
  const [few, many] = cases.map(({ figures }) => both(figures)[0].cpuMicros);
  return [atMost('CPU a message over 1,000 connections, of that over one', many / few, 1.5)];
}

function kindLimits(cases: Results['kinds'] = []): Limit[] {
  const [plain, ...others] = cases;
  return others.map(({ kind, figures }) =>
    atMost(`CPU a message, ${kind}, of plain`, figures.cpuMicros / plain.figures.cpuMicros, 1.5),
  );
}

/** What the rounds of one forwarder differ by anyway. */
const NOISE = 0.1;

function watchedLimits([unwatched, ...watched]: Results['watched'] = []): Limit[] {
  return watched.flatMap(({ forwarder, messagesPerSecond, cpuMicros }) => [
    atLeast(
      `${forwarder}: messages/s, of unwatched`,
      messagesPerSecond / unwatched.messagesPerSecond,
      1 - NOISE,
    ),
    atMost(`${forwarder}: CPU a message, of unwatched`, cpuMicros / unwatched.cpuMicros, 1 + NOISE),
  ]);
}

function relpLimits(figures: Results['relp'] = []): Limit[] {
  if (figures.length === 0) return [];
  const [ours, theirs] = both(figures);
  return [
    atLeast("RELP: messages/s, of rsyslog's", ours.messagesPerSecond / theirs.messagesPerSecond, 2),
    atMost("RELP: CPU a message, of rsyslog's", ours.cpuMicros / theirs.cpuMicros, 0.5),
  ];
}

function latencyLimits(latency: Results['latency'] = []): Limit[] {
  const [ours, theirs] = latency;
  return ours ? [atMost("a lone message, p99, of rsyslog's", ours.p99 / theirs.p99, 1)] : [];
}

function startLimits([ours]: Results['start'] = []): Limit[] {
  if (ours === undefined) return [];
  return [
    atMost('start to listening, ms', ours.medianMs, 150),
    atMost('memory at rest, MB', ours.idleMemory / MEGABYTE, 80),
  ];
}

function both([ours, theirs]: Named<Throughput>[]): [Throughput, Throughput] {
  return [ours, theirs];
}

function atLeast(what: string, value: number, least: number): Limit {
  return { what, value, atLeast: least, isKept: value >= least };
}

function atMost(what: string, value: number, most: number): Limit {
  return { what, value, atMost: most, isKept: value <= most };
}
