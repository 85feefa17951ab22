import { LOG_FORMATS, LOG_LEVELS } from '../log.ts';
import { FORMATS } from '../syslog/format.ts';

/** Something that can be configured: described once, for every source, for checking and for help. */
export interface Option {
  /**
   * Its name: `--name` on the command line, `SYSLOGGER_NAME` in the environment (dashes become
   * underscores), and the key in the configuration file.
   */
  name: string;
  /** What is written for it in the configuration file; elsewhere everything is text. */
  type: 'text' | 'number' | 'switch' | 'list';
  /** What its value looks like; absent for a switch. */
  value?: string;
  help: string;
  /** What holds where it is not given, as it would be written. */
  default?: string;
  /**
   * Options of one group exclude each other: one that is given replaces those of the group that
   * a weaker source gives.
   */
  group?: 'input' | 'target';
  /** Never shown, and not taken from the command line, which everybody on the machine can read. */
  isSecret?: true;
}

/** Every option. */
export const OPTIONS = [
  {
    name: 'config',
    type: 'text',
    value: 'file',
    help: 'read the options from this TOML file; the environment and flags win over it',
  },
  {
    name: 'listen',
    type: 'list',
    value: 'scheme://host:port',
    help: 'take syslog here: tcp, tls, relp, relps or udp; or unix or unix-dgram, with a path; may be repeated',
    default: 'tcp://0.0.0.0:1514',
    group: 'input',
  },
  {
    name: 'port',
    type: 'number',
    value: 'port',
    help: 'short for --listen tcp://0.0.0.0:<port>',
    group: 'input',
  },
  {
    name: 'tls-certificate',
    type: 'text',
    value: 'file',
    help: 'PEM certificate for tls:// and relps://, followed by those that signed it; read again on SIGHUP',
  },
  { name: 'tls-key', type: 'text', value: 'file', help: 'its PEM private key' },
  {
    name: 'tls-key-passphrase',
    type: 'text',
    value: 'text',
    help: 'what that key is encrypted with',
    isSecret: true,
  },
  {
    name: 'tls-client-ca',
    type: 'text',
    value: 'file',
    help: 'PEM certificates: senders must show one that these have signed',
  },
  {
    name: 'tls-client-names',
    type: 'list',
    value: 'name',
    help: 'only senders with this name in their certificate, such as web1.example.com or *.example.com; may be repeated',
  },
  {
    name: 'unix-mode',
    type: 'text',
    value: 'mode',
    help: 'the permissions of unix sockets: who may write to one may send',
    default: '0660',
  },
  {
    name: 'unix-owner',
    type: 'text',
    value: 'user[:group]',
    help: 'whose unix sockets are (default: the user that it runs as)',
  },
  {
    name: 'max-connections',
    type: 'number',
    value: 'number',
    help: 'how many may be connected to each listener; more are refused',
    default: '4096',
  },
  {
    name: 'first-message-timeout',
    type: 'number',
    value: 'seconds',
    help: 'who has not sent a whole message so long after connecting is dropped',
    default: '60',
  },
  {
    name: 'datagram-buffer',
    type: 'number',
    value: 'bytes',
    help: 'how much of udp may wait for Kafka, for each listener; more is lost',
    default: '4194304',
  },
  {
    name: 'zookeeper',
    type: 'text',
    value: 'host:port,…/chroot',
    help: 'find the Kafka brokers in this ZooKeeper ensemble',
    default: 'localhost:2181',
    group: 'target',
  },
  {
    name: 'brokers',
    type: 'text',
    value: 'host:port,…',
    help: 'Kafka brokers to begin with, without ZooKeeper',
    group: 'target',
  },
  {
    name: 'stdout',
    type: 'switch',
    help: 'write to standard output instead of Kafka, one value a line',
    group: 'target',
  },
  { name: 'topic', type: 'text', value: 'name', help: 'the Kafka topic', default: 'syslog' },
  {
    name: 'format',
    type: 'text',
    value: FORMATS.join('|'),
    help: 'json: a document with the parsed fields; raw: the frame as it came',
    default: 'json',
  },
  {
    name: 'max-message-bytes',
    type: 'number',
    value: 'bytes',
    help: 'a longer message is forwarded in parts',
    default: '131072',
  },
  {
    name: 'max-unacknowledged',
    type: 'number',
    value: 'bytes',
    help: 'how much may wait for Kafka in all before no more is read',
    default: '16777216',
  },
  {
    name: 'max-unacknowledged-per-connection',
    type: 'number',
    value: 'bytes',
    help: 'how much of one connection may wait for Kafka before it is not read',
    default: '4194304',
  },
  {
    name: 'drain-timeout',
    type: 'number',
    value: 'seconds',
    help: 'how long a stop waits for senders to close and for Kafka to acknowledge',
    default: '30',
  },
  {
    name: 'admin',
    type: 'text',
    value: 'host:port|none',
    help: 'serve /metrics, /healthz, /readyz and /status here over HTTP',
    default: '127.0.0.1:8514',
  },
  {
    name: 'riemann',
    type: 'text',
    value: '[tls://]host:port|none',
    help: 'send metrics to this Riemann server',
  },
  {
    name: 'riemann-interval',
    type: 'number',
    value: 'seconds',
    help: 'how often metrics are sent to Riemann',
    default: '10',
  },
  {
    name: 'riemann-ca',
    type: 'text',
    value: 'file',
    help: "PEM certificates to check Riemann's with (default: the system's)",
  },
  {
    name: 'riemann-certificate',
    type: 'text',
    value: 'file',
    help: 'PEM certificate to show to Riemann',
  },
  { name: 'riemann-key', type: 'text', value: 'file', help: 'its PEM private key' },
  {
    name: 'riemann-key-passphrase',
    type: 'text',
    value: 'text',
    help: 'what that key is encrypted with',
    isSecret: true,
  },
  {
    name: 'log-level',
    type: 'text',
    value: LOG_LEVELS.join('|'),
    help: 'the least important lines that are logged',
    default: 'info',
  },
  {
    name: 'log-format',
    type: 'text',
    value: LOG_FORMATS.join('|'),
    help: 'how log lines look; human suits a terminal, journald or a file, whichever it is',
    default: 'human',
  },
] as const satisfies readonly Option[];

/** The name of an option. */
export type OptionName = (typeof OPTIONS)[number]['name'];

/** The option of that name, if there is one. */
export function findOption(name: string): Option | undefined {
  return (OPTIONS as readonly Option[]).find((option) => option.name === name);
}

/** The environment variable of an option. */
export function variableOf(name: string): string {
  return `SYSLOGGER_${name.toUpperCase().replaceAll('-', '_')}`;
}

/** Which of the names a misspelt one is nearest to, if it is near at all. */
export function nearest(names: readonly string[], misspelt: string): string | undefined {
  const [best] = names
    .map((name) => ({ name, distance: distance(misspelt, name) }))
    .filter((candidate) => candidate.distance <= Math.max(1, misspelt.length / 3))
    .sort((a, b) => a.distance - b.distance);
  return best?.name;
}

/** The option that a misspelt one is nearest to. */
export function nearestOption(misspelt: string): string | undefined {
  const dashed = misspelt.replaceAll('_', '-').toLowerCase();
  return nearest(
    OPTIONS.map(({ name }) => name),
    dashed,
  );
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
