import { cpuSeconds, peakMemory } from '../test/support/process.ts';
import { sleep } from '../test/support/wait.ts';
import { type Feed, prepareFeeder } from './feed.ts';
import type { Forwarder } from './forwarders.ts';
import { openOffsets } from './offsets.ts';
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

/** What counts as holding a rate that was asked for. */
const RATE_HELD = 0.95;
/** Kafka may stand still for so long, in ms, before a round counts as lost messages. */
const STALLED_MS = 15_000;
/** How often Kafka is asked what it has, in ms. */
const POLL_MS = 10;

/** What is fed to whom. */
export interface Trial {
  forwarder: Forwarder;
  load: Load;
}

/**
 * Makes trials in turn, and waits each time until all of it is in Kafka. The first round is for
 * warming up, and not counted.
 */
export async function compareThroughput(
  trials: Trial[],
  broker: string,
  rounds: number,
): Promise<Throughput[]> {
  const measured: Round[][] = trials.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, trial] of trials.entries()) {
      const figures = await runRound(trial, broker);
      if (round > 0) measured[i].push(figures);
    }
  }
  return measured.map((all, i) => summary(all, peakMemory(trials[i].forwarder.pid)));
}

async function runRound({ forwarder, load }: Trial, broker: string): Promise<Round> {
  const { pid, port, topic, partitions } = forwarder;
  const offsets = await openOffsets(broker, topic, partitions);
  const feeder = await prepareFeeder({ ...load, port });
  const before = await offsets.total();
  const cpu = cpuSeconds(pid);
  const started = performance.now();
  feeder.go();
  let last = before;
  for (let movedAt = started; last < before + load.count; ) {
    await Promise.race([sleep(POLL_MS), feeder.ended.then(() => sleep(POLL_MS))]);
    const now = await offsets.total();
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
  offsets.close();
  const used = cpuSeconds(pid) - cpu;
  const messagesPerSecond = load.count / seconds;
  if (load.rate !== undefined && messagesPerSecond < load.rate * RATE_HELD) {
    throw new Error(`${forwarder.name} did not hold the rate: ${messagesPerSecond} messages/s`);
  }
  return { messagesPerSecond, cpuMicros: (used / load.count) * 1e6 };
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
