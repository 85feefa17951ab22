import { FORMATS } from '../syslog/format.ts';

/** A command-line option: described once, for parsing, for the configuration and for help. */
export interface Option {
  /** Its name on the command line, without the dashes. */
  name: string;
  /** What its value looks like; absent for a switch. */
  value?: string;
  /** May be given several times. */
  isList?: boolean;
  help: string;
  /** What holds where it is not given, as it would be written. */
  default?: string;
}

/** Every option. */
export const OPTIONS = [
  {
    name: 'listen',
    value: 'tcp://host:port',
    isList: true,
    help: 'take syslog here, LF-delimited or octet-counted; may be repeated',
    default: 'tcp://0.0.0.0:1514',
  },
  { name: 'port', value: 'port', help: 'short for --listen tcp://0.0.0.0:<port>' },
  {
    name: 'zookeeper',
    value: 'host:port,…/chroot',
    help: 'find the Kafka brokers in this ZooKeeper ensemble',
    default: 'localhost:2181',
  },
  { name: 'brokers', value: 'host:port,…', help: 'Kafka brokers to begin with, without ZooKeeper' },
  { name: 'stdout', help: 'write to standard output instead of Kafka, one value a line' },
  { name: 'topic', value: 'name', help: 'the Kafka topic', default: 'syslog' },
  {
    name: 'format',
    value: FORMATS.join('|'),
    help: 'json: a document with the parsed fields; raw: the frame as it came',
    default: 'json',
  },
  {
    name: 'max-message-bytes',
    value: 'bytes',
    help: 'a longer message is forwarded in parts',
    default: '131072',
  },
  {
    name: 'max-unacknowledged',
    value: 'bytes',
    help: 'how much may wait for Kafka in all before no more is read',
    default: '16777216',
  },
  {
    name: 'max-unacknowledged-per-connection',
    value: 'bytes',
    help: 'the same for each connection',
    default: '4194304',
  },
  {
    name: 'drain-timeout',
    value: 'seconds',
    help: 'how long a stop waits for senders to close and for Kafka to acknowledge',
    default: '30',
  },
] as const satisfies readonly Option[];

/** The name of an option, without the dashes. */
export type OptionName = (typeof OPTIONS)[number]['name'];

/** The option that a misspelt one is nearest to, if it is near at all. */
export function nearestOption(name: string): string | undefined {
  const [best] = OPTIONS.map((option) => ({
    name: option.name,
    distance: distance(name, option.name),
  }))
    .filter((candidate) => candidate.distance <= Math.max(1, name.length / 3))
    .sort((a, b) => a.distance - b.distance);
  return best?.name;
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
