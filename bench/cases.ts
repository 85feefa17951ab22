import type { Kind } from './corpus.ts';
import { type Cluster, type Forwarder, type ForwarderName, startForwarder } from './forwarders.ts';
import { compareLatency, type Latency } from './latency.ts';
import { compareStart, type Start } from './start.ts';
import { compareThroughput, type Load, type Throughput } from './throughput.ts';

/** A forwarder's figures in one case. */
export type Named<T> = T & { forwarder: ForwarderName };

/** All that is measured. */
export interface Results {
  /** As fast as it goes, by the number of connections. */
  throughput: { connections: number; figures: Named<Throughput>[] }[];
  /** The same number of messages a second over few and over many connections. */
  paced: { connections: number; rate: number; figures: Named<Throughput>[] }[];
  /** Lines of one length that hold different things, each kind to a syslogger of its own. */
  kinds: { kind: Kind; figures: Throughput }[];
  /** Unwatched first: what the others are compared with. */
  watched: Named<Throughput>[];
  /** Behind an rsyslog that sends over RELP. */
  relp: Named<Throughput>[];
  latency: Named<Latency>[];
  start: Named<Start>[];
}

/** The parts of {@link Results}, in the order in which they are measured. */
export const PARTS = [
  'start',
  'latency',
  'throughput',
  'paced',
  'kinds',
  'watched',
  'relp',
] as const;
export type Part = (typeof PARTS)[number];

const CONNECTIONS = [1, 100, 1_000];
const MESSAGES = 1_000_000;
/** The sender is slower than we are. */
const RELP_MESSAGES = 400_000;
const PACED_RATE = 200_000;
const PACED_MESSAGES = 800_000;
const BOTH: ForwarderName[] = ['syslogger', 'rsyslog'];
const WATCHED: ForwarderName[] = [
  'syslogger, unwatched',
  'syslogger, watched',
  'syslogger, Riemann hangs',
];
/** Plain RFC 3164 first: what the others are compared with. */
const KINDS: Kind[] = ['plain', 'structured', 'escaped', 'utf8'];

/** How a part is measured. */
type Measure<P extends Part> = (
  cluster: Cluster,
  rounds: number,
  say: (text: string) => void,
) => Promise<Results[P]>;

/** Measures each part. `say` is told what comes next. */
export const MEASURES: { [P in Part]: Measure<P> } = {
  async start(cluster, rounds, say) {
    say('start, and memory at rest');
    return named(BOTH, await compareStart(BOTH, cluster, 2 * rounds));
  },

  async latency(cluster, rounds, say) {
    say('a lone message');
    const names: ForwarderName[] = [...BOTH, 'rsyslog, linger 0'];
    return withForwarders(names, cluster, 1, async (forwarders) =>
      named(names, await compareLatency(forwarders, cluster.broker, 2 * rounds)),
    );
  },

  async throughput(cluster, rounds, say) {
    const results: Results['throughput'] = [];
    for (const connections of CONNECTIONS) {
      say(`${connections} connections, as fast as it goes`);
      const load: Load = { kind: 'mixed', count: MESSAGES, connections };
      results.push({ connections, figures: await compare(cluster, load, rounds) });
    }
    return results;
  },

  async paced(cluster, rounds, say) {
    const results: Results['paced'] = [];
    for (const connections of [1, 1_000]) {
      say(`${connections} connections, ${PACED_RATE} messages/s`);
      const load: Load = { kind: 'mixed', count: PACED_MESSAGES, connections, rate: PACED_RATE };
      const figures = await compare(cluster, load, Math.ceil(rounds / 2));
      results.push({ connections, rate: PACED_RATE, figures });
    }
    return results;
  },

  async kinds(cluster, rounds, say) {
    say('lines that hold different things');
    // One for each kind, since what a runtime has compiled for one kind is not what suits another.
    const names = KINDS.map((): ForwarderName => 'syslogger');
    return withForwarders(names, cluster, 4, async (forwarders) => {
      const trials = KINDS.map((kind, i) => ({
        forwarder: forwarders[i],
        load: { kind, count: MESSAGES, connections: 1 },
      }));
      const figures = await compareThroughput(trials, cluster.broker, rounds);
      return KINDS.map((kind, i) => ({ kind, figures: figures[i] }));
    });
  },

  async watched(cluster, rounds, say) {
    say('with metrics read and sent');
    const load: Load = { kind: 'mixed', count: MESSAGES, connections: 100 };
    return compare(cluster, load, rounds, WATCHED);
  },

  async relp(cluster, rounds, say) {
    say('RELP, behind rsyslog');
    const load: Load = { kind: 'mixed', count: RELP_MESSAGES, connections: 1 };
    return compare(cluster, load, rounds, ['syslogger, RELP', 'rsyslog, RELP']);
  },
};

function compare(
  cluster: Cluster,
  load: Load,
  rounds: number,
  names = BOTH,
): Promise<Named<Throughput>[]> {
  return withForwarders(names, cluster, 4, async (forwarders) => {
    const trials = forwarders.map((forwarder) => ({ forwarder, load }));
    return named(names, await compareThroughput(trials, cluster.broker, rounds));
  });
}

/** Has forwarders run while they are used. */
async function withForwarders<T>(
  names: ForwarderName[],
  cluster: Cluster,
  partitions: number,
  use: (forwarders: Forwarder[]) => Promise<T>,
): Promise<T> {
  const forwarders: Forwarder[] = [];
  try {
    for (const name of names) forwarders.push(await startForwarder(name, cluster, partitions));
    return await use(forwarders);
  } finally {
    for (const forwarder of forwarders) await forwarder.stop();
  }
}

function named<T>(names: ForwarderName[], figures: T[]): Named<T>[] {
  return figures.map((one, i) => ({ forwarder: names[i], ...one }));
}
