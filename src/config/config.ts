import { type Address, formatAddress, parseAddress } from '../address.ts';
import { FORMATS, type FormatName } from '../syslog/format.ts';
import type { Ensemble } from '../zookeeper/brokers.ts';
import type { Given } from './command-line.ts';
import { UsageError } from './errors.ts';
import { OPTIONS, type Option, type OptionName } from './options.ts';

const ZOOKEEPER_PORT = 2181;
const KAFKA_PORT = 9092;
const TOPIC_NAME = /^[a-zA-Z0-9._-]{1,249}$/;
/** More would make a record larger than any sensible limit of Kafka. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const MIN_MESSAGE_BYTES = 64;
const MIN_WINDOW_BYTES = 65_536;
const MAX_WINDOW_BYTES = 2 ** 30;
const MAX_SECONDS = 86_400;

/** Where the values go. */
export type Target =
  | { kind: 'zookeeper'; ensemble: Ensemble }
  | { kind: 'brokers'; addresses: Address[] }
  | { kind: 'stdout' };

/** All that the daemon needs to know, checked. */
export interface Config {
  listen: Address[];
  target: Target;
  topic: string;
  format: FormatName;
  maxMessageBytes: number;
  maxUnacknowledgedBytes: number;
  maxConnectionUnacknowledgedBytes: number;
  drainTimeoutMs: number;
}

/**
 * Checks what was given and completes it with the defaults.
 * @throws {UsageError} that names the option, what is wrong with it and what it takes
 */
export function readConfig(given: Given): Config {
  return {
    listen: readListen(given),
    target: readTarget(given),
    topic: readTopic(textOf(given, 'topic')),
    format: readFormat(textOf(given, 'format')),
    maxMessageBytes: readBytes(given, 'max-message-bytes', MIN_MESSAGE_BYTES, MAX_MESSAGE_BYTES),
    maxUnacknowledgedBytes: readBytes(
      given,
      'max-unacknowledged',
      MIN_WINDOW_BYTES,
      MAX_WINDOW_BYTES,
    ),
    maxConnectionUnacknowledgedBytes: readBytes(
      given,
      'max-unacknowledged-per-connection',
      MIN_WINDOW_BYTES,
      MAX_WINDOW_BYTES,
    ),
    drainTimeoutMs: readSeconds(given, 'drain-timeout') * 1000,
  };
}

/** What was given for an option that takes one value, or its default. */
function textOf(given: Given, name: OptionName): string {
  const value = given[name] ?? (OPTIONS as readonly Option[]).find((o) => o.name === name)?.default;
  return typeof value === 'string' ? value : '';
}

function readListen(given: Given): Address[] {
  const port = given.port as string | undefined;
  const listen = given.listen as string[] | undefined;
  if (port !== undefined && listen) throw new UsageError('--port and --listen exclude each other');
  const repeated = listen?.find((value, i) => listen.indexOf(value) < i && !value.endsWith(':0'));
  if (repeated) throw new UsageError(`--listen ${repeated} is given twice`);
  if (port === undefined) return (listen ?? [textOf(given, 'listen')]).map(readListenAddress);
  const address = /^\d+$/.test(port) ? parseAddress(`0.0.0.0:${port}`) : null;
  if (address === null) throw new UsageError(`--port ${port}: not a port (0 to 65535)`);
  return [address];
}

function readListenAddress(value: string): Address {
  const [, scheme, rest] = /^([a-z]+):\/\/(.*)$/.exec(value) ?? [];
  if (scheme !== undefined && scheme !== 'tcp') {
    throw new UsageError(`--listen ${value}: ${scheme} is not supported; tcp://host:port is`);
  }
  const address = scheme === undefined ? null : parseAddress(rest);
  if (address === null) {
    throw new UsageError(`--listen ${value}: not an address; it must look like tcp://0.0.0.0:1514`);
  }
  return address;
}

function readTarget(given: Given): Target {
  const targets = (['zookeeper', 'brokers', 'stdout'] as const).filter(
    (name) => given[name] !== undefined,
  );
  if (targets.length > 1) {
    const names = targets.map((name) => `--${name}`).join(' and ');
    throw new UsageError(`${names} exclude each other: give one of them`);
  }
  if (given.stdout) return { kind: 'stdout' };
  if (given.brokers !== undefined) {
    const brokers = textOf(given, 'brokers');
    return { kind: 'brokers', addresses: readAddresses('brokers', brokers, KAFKA_PORT) };
  }
  const zookeeper = textOf(given, 'zookeeper');
  const [, servers, path] = /^([^/]*)(\/.*)?$/s.exec(zookeeper) ?? ['', '', ''];
  const chroot = (path ?? '').replace(/\/+$/, '');
  if (/\/\/|[\s,]/.test(chroot))
    throw new UsageError(`--zookeeper ${zookeeper}: bad chroot ${chroot}`);
  const ensemble = { servers: readAddresses('zookeeper', servers, ZOOKEEPER_PORT), chroot };
  return { kind: 'zookeeper', ensemble };
}

function readAddresses(name: OptionName, list: string, defaultPort: number): Address[] {
  return list.split(',').map((item) => {
    const address = parseAddress(item.trim(), defaultPort);
    if (address === null || address.port === 0) {
      throw new UsageError(`--${name} ${list}: "${item}" is not host:port`);
    }
    return address;
  });
}

function readTopic(topic: string): string {
  if (TOPIC_NAME.test(topic) && topic !== '.' && topic !== '..') return topic;
  throw new UsageError(
    `--topic ${topic}: a topic has 1 to 249 letters, digits, dots, dashes or underscores`,
  );
}

function readFormat(format: string): FormatName {
  const known = FORMATS.find((name) => name === format);
  if (known === undefined)
    throw new UsageError(`--format ${format}: it is ${FORMATS.join(' or ')}`);
  return known;
}

function readBytes(given: Given, name: OptionName, min: number, max: number): number {
  const value = textOf(given, name);
  const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new UsageError(`--${name} ${value}: a whole number of bytes from ${min} to ${max}`);
}

function readSeconds(given: Given, name: OptionName): number {
  const value = textOf(given, name);
  const seconds = /^\d{1,6}(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
  if (seconds >= 0 && seconds <= MAX_SECONDS) return seconds;
  throw new UsageError(`--${name} ${value}: a number of seconds from 0 to ${MAX_SECONDS}`);
}

/** For people: where the values go. */
export function describeTarget(target: Target): string {
  if (target.kind === 'stdout') return 'standard output';
  if (target.kind === 'brokers') return `brokers ${target.addresses.map(formatAddress).join(',')}`;
  const { servers, chroot } = target.ensemble;
  return `ZooKeeper ${servers.map(formatAddress).join(',')}${chroot}`;
}
