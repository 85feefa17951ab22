import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, waitForPort } from '../test/support/ports.ts';
import { type Child, start } from '../test/support/process.ts';
import { startSyslogger } from '../test/support/syslogger.ts';
import { tempDir } from '../test/support/temp.ts';
import { createTopic, deleteTopic } from '../test/support/topics.ts';
import { which } from '../test/support/which.ts';
import { omkafkaConfig } from './omkafka-config.ts';
import { startRelay } from './relay.ts';
import { startWatchers } from './watchers.ts';

/**
 * What can be measured: us, rsyslog with omkafka, and that with no wait for batches to grow; both
 * with an rsyslog before them that sends over RELP; and us with nobody looking, with somebody looking every second, and with a Riemann that does not answer.
 */
export type ForwarderName =
  | 'syslogger'
  | 'rsyslog'
  | 'rsyslog, linger 0'
  | 'syslogger, RELP'
  | 'rsyslog, RELP'
  | 'syslogger, unwatched'
  | 'syslogger, watched'
  | 'syslogger, Riemann hangs';

/** Where Kafka is. */
export interface Cluster {
  /** `host:port` of ZooKeeper and of the broker. */
  zookeeper: string;
  broker: string;
}

/** A forwarder that runs, and writes to a topic of its own. */
export interface Forwarder {
  readonly name: ForwarderName;
  readonly pid: number;
  /** Where it takes syslog. */
  readonly port: number;
  readonly topic: string;
  readonly partitions: number;
  /** From its start to its listening, in ms. */
  readonly startMs: number;
  /** Ends it, and deletes its topic. */
  stop(): Promise<void>;
}

interface Running {
  pid: number;
  startMs: number;
  stop(): Promise<void>;
}

let topics = 0;

/** Starts a forwarder and waits until it listens. */
export async function startForwarder(
  name: ForwarderName,
  cluster: Cluster,
  partitions = 4,
): Promise<Forwarder> {
  const topic = `bench-${++topics}`;
  const port = await freePort();
  await createTopic(cluster.broker, { topic, partitions });
  const isRelp = name.endsWith(', RELP');
  const running = name.startsWith('syslogger')
    ? await startOurs(name, cluster, topic, port, isRelp)
    : await startRsyslog(cluster, topic, port, {
        isRelp,
        ...(name === 'rsyslog, linger 0' && { lingerMs: 0 }),
      });
  const relay = isRelp ? await startRelay(port) : undefined;
  const stop = async () => {
    await relay?.stop();
    await running.stop();
    await deleteTopic(cluster.broker, topic);
  };
  return { ...running, name, port: relay?.port ?? port, topic, partitions, stop };
}

async function startOurs(
  name: ForwarderName,
  { zookeeper }: Cluster,
  topic: string,
  port: number,
  isRelp: boolean,
): Promise<Running> {
  const watchers = await startWatchers(name);
  const listen = `${isRelp ? 'relp' : 'tcp'}://127.0.0.1:${port}`;
  const where = ['--listen', listen, '--zookeeper', zookeeper, '--topic', topic];
  const started = performance.now();
  const syslogger = await startSyslogger({ args: [...where, ...watchers.args], dontWait: true });
  const startMs = await untilListening(syslogger.child, port, started);
  const stop = async () => {
    const { code, ledger } = await syslogger.stop();
    await watchers.stop();
    if (code !== 0) throw new Error(`syslogger stopped with exit code ${code}: ${ledger}`);
  };
  return { pid: syslogger.pid, startMs, stop };
}

async function startRsyslog(
  { broker }: Cluster,
  topic: string,
  port: number,
  options: { lingerMs?: number; isRelp: boolean },
): Promise<Running> {
  const dir = tempDir('rsyslog-omkafka');
  const workDirectory = join(dir, 'work');
  mkdirSync(workDirectory);
  const config = join(dir, 'rsyslog.conf');
  writeFileSync(config, omkafkaConfig({ port, broker, topic, workDirectory, ...options }));
  const program = which('rsyslogd') ?? 'rsyslogd';
  const started = performance.now();
  const child = start('rsyslogd', [program, '-n', '-f', config, '-i', join(dir, 'pid')]);
  const startMs = await untilListening(child, port, started);
  return { pid: child.pid, startMs, stop: async () => void (await child.stop('SIGTERM', 20_000)) };
}

/** @returns how long it took since `started`, in ms */
async function untilListening(child: Child, port: number, started: number): Promise<number> {
  const ended = child.exited.then((exit) => {
    throw new Error(`it ended ${JSON.stringify(exit)}: ${child.stderr()}`);
  });
  ended.catch(() => {});
  await Promise.race([waitForPort(port, { everyMs: 1 }), ended]);
  return performance.now() - started;
}
