import { cpuSeconds, peakMemory } from '../test/support/process.ts';
import { endOffset } from '../test/support/topics.ts';
import { sleep } from '../test/support/wait.ts';
import { type Feed, prepareFeeder } from './feed.ts';
import type { Forwarder } from './forwarders.ts';
import { median, quantile } from './statistics.ts';

/** What is sent in each round. */
export type Load = Omit<Feed, 'port'>;

/** What several rounds came to: medians. */
export interface Throughput {
  messagesPerSecond: number;
  /** The slowest and the fastest round. */
  slowest: number;
  fastest: number;
  /** User and system time of the forwarder's process, in µs a message. */
  cpuMicros: number;
  /** The most physical memory it ever had, in bytes. */
  peakMemory: number;
}

interface Round {
  messagesPerSecond: number;
  cpuMicros: number;
}

/** Kafka may stand still for so long, in ms, before a round counts as lost messages. */
const STALLED_MS = 15_000;

/**
 * Feeds forwarders in turn, the same lines to each, and waits each time until all of it is in
 * Kafka. The first round is for warming up, and not counted.
 */
export async function compareThroughput(
  forwarders: Forwarder[],
  broker: string,
  load: Load,
  rounds: number,
): Promise<Throughput[]> {
  const measured: Round[][] = forwarders.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, forwarder] of forwarders.entries()) {
      const figures = await runRound(forwarder, broker, load);
      if (round > 0) measured[i].push(figures);
    }
  }
  return measured.map((all, i) => summary(all, peakMemory(forwarders[i].pid)));
}

/** Sends different loads in turn to one forwarder, as {@link compareThroughput} does to several. */
export async function compareLoads(
  forwarder: Forwarder,
  broker: string,
  loads: Load[],
  rounds: number,
): Promise<Throughput[]> {
  const measured: Round[][] = loads.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, load] of loads.entries()) {
      const figures = await runRound(forwarder, broker, load);
      if (round > 0) measured[i].push(figures);
    }
  }
  return measured.map((all) => summary(all, peakMemory(forwarder.pid)));
}

async function runRound(forwarder: Forwarder, broker: string, load: Load): Promise<Round> {
  const { pid, port, topic, partitions } = forwarder;
  const held = () => endOffset(broker, topic, partitions);
  const feeder = await prepareFeeder({ ...load, port });
  const before = await held();
  const cpu = cpuSeconds(pid);
  const started = performance.now();
  feeder.go();
  let last = before;
  for (let movedAt = started; last < before + load.count; ) {
    await sleep(5);
    const now = await held();
    if (now > last) movedAt = performance.now();
    last = now;
    if (performance.now() - movedAt > STALLED_MS) {
      throw new Error(
        `${forwarder.name}: only ${last - before} of ${load.count} messages came to Kafka`,
      );
    }
  }
  const seconds = (performance.now() - started) / 1000;
  await feeder.ended;
  const used = cpuSeconds(pid) - cpu;
  return { messagesPerSecond: load.count / seconds, cpuMicros: (used / load.count) * 1e6 };
}

function summary(rounds: Round[], peak: number): Throughput {
  const rates = rounds.map(({ messagesPerSecond }) => messagesPerSecond);
  return {
    messagesPerSecond: median(rates),
    slowest: quantile(rates, 0),
    fastest: quantile(rates, 1),
    cpuMicros: median(rounds.map(({ cpuMicros }) => cpuMicros)),
    peakMemory: peak,
  };
}
