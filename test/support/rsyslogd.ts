import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDebian } from './install.ts';
import { freePort, waitForPort } from './ports.ts';
import { type Child, start } from './process.ts';
import { rsyslogConfig, type Target } from './rsyslog-config.ts';
import { type QueueStatistics, queueStatistics } from './rsyslog-statistics.ts';
import { tempDir } from './temp.ts';
import { type WaitOptions, waitFor } from './wait.ts';
import { which } from './which.ts';

export type { Target } from './rsyslog-config.ts';

export interface RsyslogdOptions {
  target: Target;
  /** Messages the queue holds in memory before it writes to disk (default 10,000). */
  memoryQueueSize?: number;
  /**
   * How many messages it sends at once (default 128, as rsyslog's). When its connection closes amid
   * a batch, it sends the whole batch again: with 1 it repeats nothing.
   */
  batchSize?: number;
  /** The longest message it takes, in bytes (default 64 KiB). */
  maxMessageSize?: number;
}

export interface Rsyslogd {
  /** Takes lines and octet-counted frames over TCP. */
  readonly inputPort: number;
  /** The process that runs now. */
  child(): Child;
  /** How many messages wait or are being sent, as of the last second. */
  queued(): number;
  /**
   * Waits until it took `received` messages since its last start, and its queue is empty: all that
   * it had is sent. It reports once a second, so this takes two at least.
   */
  waitUntilQueueEmpty(received: number, options?: WaitOptions): Promise<void>;
  /**
   * SIGTERM, after which its queue is on disk. If it can't send at that moment, rsyslog cancels the
   * message that it is at, and sends that one twice when it is started again.
   */
  stop(): Promise<void>;
  /** Starts it again with what its queue had on disk, and perhaps another target. */
  restart(target?: Target): Promise<void>;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
}

/** Starts an rsyslogd that forwards all it gets on a TCP port, through a queue with a disk. */
export async function startRsyslogd(options: RsyslogdOptions): Promise<Rsyslogd> {
  const { memoryQueueSize = 10_000, batchSize = 128, maxMessageSize = 65_536 } = options;
  await ensureDebian(['rsyslogd', ...modules(options.target)]);
  const program = which('rsyslogd') ?? 'rsyslogd';
  const inputPort = await freePort();
  const dir = tempDir('rsyslogd');
  const workDirectory = join(dir, 'work');
  const statistics = join(dir, 'statistics.log');
  mkdirSync(workDirectory);

  const launch = async (target: Target) => {
    const config = join(dir, 'rsyslog.conf');
    const content = {
      target,
      inputPort,
      workDirectory,
      statistics,
      memoryQueueSize,
      batchSize,
      maxMessageSize,
    };
    writeFileSync(config, rsyslogConfig(content));
    writeFileSync(statistics, '');
    const child = start('rsyslogd', [program, '-n', '-f', config, '-i', join(dir, 'pid')]);
    await Promise.race([
      waitForPort(inputPort),
      child.exited.then((exit) => {
        throw new Error(`rsyslogd ended ${JSON.stringify(exit)}: ${child.stderr()}`);
      }),
    ]);
    return child;
  };

  let child = await launch(options.target);
  const stop = async () => void (await child.stop('SIGTERM', 30_000));
  return {
    inputPort,
    child: () => child,
    queued: () => queueStatistics(statistics).at(-1)?.queued ?? 0,
    waitUntilQueueEmpty: async (received, wait) => {
      const seen = queueStatistics(statistics).length;
      const isEmpty = (now: QueueStatistics) => now.received >= received && now.queued === 0;
      await waitFor(
        `rsyslogd's queue isn't empty, see ${statistics}`,
        () => {
          // Its counters aren't read all at the same moment: it counts when it holds twice.
          const last = queueStatistics(statistics).slice(seen).slice(-2);
          return last.length === 2 && last.every(isEmpty);
        },
        { everyMs: 100, timeoutMs: 60_000, ...wait },
      );
    },
    stop,
    restart: async (target = options.target) => {
      await stop();
      child = await launch(target);
    },
    kill: async () => void (await child.kill()),
  };
}

/** The modules of rsyslog's that come in packages of their own. */
function modules({ protocol, tls }: Target): string[] {
  return [...(protocol === 'relp' ? ['omrelp'] : []), ...(tls ? ['lmnsd_gtls'] : [])];
}
