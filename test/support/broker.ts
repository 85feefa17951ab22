import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startJava } from './java.ts';
import { metadata } from './metadata.ts';
import { freePort } from './ports.ts';
import type { Child } from './process.ts';
import { tempDir } from './temp.ts';
import { waitFor } from './wait.ts';

export interface Kafka {
  readonly id: number;
  /** Where it listens now. */
  readonly port: number;
  /** `127.0.0.1:port` as clients shall use it: the advertised port. */
  readonly address: string;
  /** The process that runs now, or ran last. */
  child(): Child;
  /** A clean stop (SIGTERM); SIGKILL when it takes over a minute. */
  stop(): Promise<void>;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
  /** Starts it again with the same data, on the same port or another, and waits until it serves. */
  start(options?: { port?: number; advertisedPort?: number }): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  pause(): void;
  resume(): void;
}

export interface KafkaOptions {
  brokerId?: number;
  port?: number;
  /** What clients are told, where a proxy stands in front (default: the port). */
  advertisedPort?: number;
  /** Further broker settings, which win over ours. */
  overrides?: Record<string, string | number | boolean>;
  /** Maximum heap in MB (default 512). */
  heap?: number;
  /** Runs as in production, to be measured. */
  isForSpeed?: boolean;
}

export type Settings = Record<string, string | number | boolean>;

const common: Settings = {
  'num.network.threads': 2,
  'num.io.threads': 4,
  'num.partitions': 1,
  'default.replication.factor': 1,
  'offsets.topic.num.partitions': 1,
  'offsets.topic.replication.factor': 1,
  'transaction.state.log.num.partitions': 1,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'group.initial.rebalance.delay.ms': 0,
  'auto.create.topics.enable': false,
  'controlled.shutdown.retry.backoff.ms': 500,
  // A replica that hangs shall leave the in-sync replicas within seconds.
  'replica.lag.time.max.ms': 5000,
};

/**
 * Runs a Kafka broker. `settings` makes those of its settings that depend on its port and on the
 * one that clients are told; `prepare` is called once before the first start.
 */
export async function runBroker(
  libs: string,
  id: number,
  options: KafkaOptions,
  settings: (port: number, advertised: number) => Settings,
  prepare: (config: string) => Promise<void> = async () => {},
): Promise<Kafka> {
  const dir = tempDir(`kafka-${id}`);
  const config = join(dir, 'server.properties');
  let port = options.port ?? (await freePort());
  let advertised = options.advertisedPort ?? port;
  let child: Child;

  const configure = () => {
    const all = {
      ...common,
      'log.dirs': join(dir, 'logs'),
      ...settings(port, advertised),
      ...options.overrides,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(config, lines.join(''));
  };
  const launch = async () => {
    child = startJava(`kafka-${id}`, {
      libs,
      mainClass: 'kafka.Kafka',
      args: [config],
      heap: options.heap ?? 512,
      isForSpeed: options.isForSpeed ?? false,
    });
    await untilReady(child, id, port, advertised);
  };

  configure();
  await prepare(config);
  await launch();
  return {
    id,
    get port() {
      return port;
    },
    get address() {
      return `127.0.0.1:${advertised}`;
    },
    child: () => child,
    stop: async () => {
      // A paused process would leave SIGTERM waiting.
      child.signal('SIGCONT');
      await child.stop('SIGTERM', 60_000);
    },
    kill: async () => void (await child.kill()),
    start: async (again = {}) => {
      advertised =
        again.advertisedPort ?? (advertised === port ? again.port : undefined) ?? advertised;
      port = again.port ?? port;
      configure();
      // After kill() its old registration stays in ZooKeeper for the session timeout, and a broker
      // that still finds it there gives up.
      for (let attempt = 1; ; attempt++) {
        try {
          return await launch();
        } catch (error) {
          const registered = child.stderr().includes('NodeExistsException');
          if (attempt === 5 || !registered) throw error;
        }
      }
    },
    pause: () => child.signal('SIGSTOP'),
    resume: () => child.signal('SIGCONT'),
  };
}

/** Waits until the broker answers metadata requests and lists itself as its clients shall see it. */
async function untilReady(child: Child, id: number, port: number, advertised: number) {
  await waitFor(
    `Kafka ${id} doesn't serve, see ${child.stderrPath}`,
    async () => {
      if (child.exit()) throw new Error(`Kafka ${id} ended: ${child.stderr().slice(-3000)}`);
      const known = await metadata(port).catch(() => undefined);
      return (
        known !== undefined &&
        known.controller >= 0 &&
        known.brokers.some((broker) => broker.id === id && broker.port === advertised)
      );
    },
    { timeoutMs: 60_000, everyMs: 100 },
  );
}
