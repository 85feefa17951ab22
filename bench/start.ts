import { rss } from '../test/support/process.ts';
import { sleep } from '../test/support/wait.ts';
import { type Cluster, type ForwarderName, startForwarder } from './forwarders.ts';
import { median, quantile } from './statistics.ts';

/** What a forwarder needs that has nothing to do. */
export interface Start {
  /** From its start to its listening, in ms. */
  medianMs: number;
  slowestMs: number;
  /** Physical memory after that, in bytes. */
  idleMemory: number;
}

/** A forwarder counts as idle after this time, in ms. */
const SETTLE_MS = 1_000;

/** Starts forwarders in turn, with ZooKeeper and Kafka up; the first time is not counted. */
export async function compareStart(
  names: ForwarderName[],
  cluster: Cluster,
  rounds: number,
): Promise<Start[]> {
  const measured = names.map(() => ({ ms: [] as number[], memory: [] as number[] }));
  for (let round = 0; round <= rounds; round++) {
    for (const [i, name] of names.entries()) {
      const forwarder = await startForwarder(name, cluster);
      await sleep(SETTLE_MS);
      if (round > 0) {
        measured[i].ms.push(forwarder.startMs);
        measured[i].memory.push(rss(forwarder.pid));
      }
      await forwarder.stop();
    }
  }
  return measured.map(({ ms, memory }) => ({
    medianMs: median(ms),
    slowestMs: quantile(ms, 1),
    idleMemory: quantile(memory, 1),
  }));
}
