import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { startKafka } from '../test/support/kafka.ts';
import { startZooKeeper } from '../test/support/zookeeper.ts';
import type { Cluster } from './forwarders.ts';

/** A file system in memory, where Linux has one. */
const MEMORY = '/dev/shm';
const NEEDED_BYTES = 4e9;
/** As little as keeps up is held of what was measured, so that no fresh memory or disk is needed. */
const SEGMENT_BYTES = 128 * 2 ** 20;

export interface RunningCluster extends Cluster {
  stop(): Promise<void>;
}

/**
 * Starts ZooKeeper and one Kafka broker, as in production but for its log, which is in memory
 * where there is room: else the disk's moods would be measured.
 */
export async function startCluster(): Promise<RunningCluster> {
  const log = hasRoom() ? mkdtempSync(join(MEMORY, 'syslogger-bench-')) : undefined;
  // Also when it is interrupted: memory must not be left behind.
  if (log !== undefined) process.once('exit', () => rmSync(log, { recursive: true, force: true }));
  const zookeeper = await startZooKeeper();
  const kafka = await startKafka({
    zookeeper: zookeeper.address,
    heap: 1024,
    isForSpeed: true,
    overrides: {
      ...(log !== undefined && { 'log.dirs': log }),
      'log.segment.bytes': SEGMENT_BYTES,
      'log.retention.bytes': SEGMENT_BYTES,
      'log.retention.check.interval.ms': 1_000,
      'log.segment.delete.delay.ms': 0,
    },
  });
  return {
    zookeeper: zookeeper.address,
    broker: kafka.address,
    async stop() {
      await kafka.stop();
      await zookeeper.stop();
    },
  };
}

function hasRoom(): boolean {
  if (!existsSync(MEMORY)) return false;
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize > NEEDED_BYTES;
}
