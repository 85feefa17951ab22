import { type Address, formatAddress, overlap, parseAddress } from '../address.ts';
import type { Endpoint } from '../input/endpoint.ts';
import type { UnixAccess } from '../input/unix-access.ts';
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from '../log.ts';
import type { TlsOptions } from '../runtime/runtime.ts';
import { FORMATS, type FormatName } from '../syslog/format.ts';
import type { Ensemble } from '../zookeeper/brokers.ts';
import { type ListenTls, readListen, readListenTls, readUnixAccess } from './listen.ts';
import { exclusive, invalid, type Settings, textOf } from './settings.ts';
import { readTls } from './tls.ts';
import { type Range, readAddresses, readChoice, readNumber } from './values.ts';

const ZOOKEEPER_PORT = 2181;
const KAFKA_PORT = 9092;
const RIEMANN_PORT = 5555;
const RIEMANN_TLS_PORT = 5554;
const TOPIC_NAME = /^[a-zA-Z0-9._-]{1,249}$/;
/** More would make a record larger than any sensible limit of Kafka. */
const MESSAGE_BYTES: Range = { unit: 'bytes', min: 64, max: 16 * 1024 * 1024 };
const WINDOW_BYTES: Range = { unit: 'bytes', min: 65_536, max: 2 ** 30 };
const CONNECTIONS: Range = { unit: 'connections', min: 1, max: 1_000_000 };
const FIRST_MESSAGE_SECONDS: Range = { unit: 'seconds', min: 1, max: 86_400 };
const DRAIN_SECONDS: Range = { unit: 'seconds', min: 0, max: 86_400 };
const INTERVAL_SECONDS: Range = { unit: 'seconds', min: 0.1, max: 86_400 };

/** Where the values go. */
export type Target =
  | { kind: 'zookeeper'; ensemble: Ensemble }
  | { kind: 'brokers'; addresses: Address[] }
  | { kind: 'stdout' };

/** The Riemann server that gets the metrics, and how often. */
export interface RiemannTarget {
  address: Address;
  /** Absent for a plain connection. */
  tls?: TlsOptions;
  intervalMs: number;
}

/** All that the daemon needs to know, checked. */
export interface Config {
  listen: Endpoint[];
  /** Present where one of these speaks TLS. */
  listenTls: ListenTls | null;
  unixAccess: UnixAccess;
  maxConnections: number;
  firstMessageMs: number;
  datagramBufferBytes: number;
  target: Target;
  topic: string;
  format: FormatName;
  maxMessageBytes: number;
  maxUnacknowledgedBytes: number;
  maxConnectionUnacknowledgedBytes: number;
  drainTimeoutMs: number;
  admin: AdminPage | null;
  riemann: RiemannTarget | null;
  logLevel: LogLevel;
  logFormat: LogFormat;
}

/** Where the daemon's state can be looked at. */
export interface AdminPage {
  address: Address;
  /** Somebody asked for it: it is not just the default. */
  isGiven: boolean;
}

/**
 * Checks what was given and completes it with the defaults.
 * @throws {UsageError | ConfigError} that names the option, what is wrong with it and what it takes
 */
export function readConfig(settings: Settings): Config {
  const listen = readListen(settings);
  return {
    listen,
    listenTls: readListenTls(settings, listen),
    unixAccess: readUnixAccess(settings),
    maxConnections: readNumber(settings, 'max-connections', CONNECTIONS),
    firstMessageMs: readNumber(settings, 'first-message-timeout', FIRST_MESSAGE_SECONDS) * 1000,
    datagramBufferBytes: readNumber(settings, 'datagram-buffer', WINDOW_BYTES),
    target: readTarget(settings),
    topic: readTopic(settings),
    format: readChoice(settings, 'format', FORMATS),
    maxMessageBytes: readNumber(settings, 'max-message-bytes', MESSAGE_BYTES),
    maxUnacknowledgedBytes: readNumber(settings, 'max-unacknowledged', WINDOW_BYTES),
    maxConnectionUnacknowledgedBytes: readNumber(
      settings,
      'max-unacknowledged-per-connection',
      WINDOW_BYTES,
    ),
    drainTimeoutMs: readNumber(settings, 'drain-timeout', DRAIN_SECONDS) * 1000,
    admin: readAdmin(settings, listen),
    riemann: readRiemann(settings),
    logLevel: readChoice(settings, 'log-level', LOG_LEVELS),
    logFormat: readChoice(settings, 'log-format', LOG_FORMATS),
  };
}

function readTarget(settings: Settings): Target {
  const targets = (['zookeeper', 'brokers', 'stdout'] as const).filter((name) =>
    settings.has(name),
  );
  if (targets.length > 1) throw exclusive(settings, targets);
  if (settings.has('stdout')) return { kind: 'stdout' };
  if (settings.has('brokers')) {
    const brokers = textOf(settings, 'brokers');
    return { kind: 'brokers', addresses: readAddresses(settings, 'brokers', brokers, KAFKA_PORT) };
  }
  const zookeeper = textOf(settings, 'zookeeper');
  const [, list, path] = /^([^/]*)(\/.*)?$/s.exec(zookeeper) ?? ['', '', ''];
  const chroot = (path ?? '').replace(/\/+$/, '');
  if (/\/\/|[\s,]/.test(chroot)) {
    const problem = `bad chroot ${chroot}: it must look like /a/b, once and at the end`;
    throw invalid(settings, 'zookeeper', problem);
  }
  const servers = readAddresses(settings, 'zookeeper', list, ZOOKEEPER_PORT);
  return { kind: 'zookeeper', ensemble: { servers, chroot } };
}

function readTopic(settings: Settings): string {
  const topic = textOf(settings, 'topic');
  if (TOPIC_NAME.test(topic) && topic !== '.' && topic !== '..') return topic;
  const rule = 'a topic has 1 to 249 letters, digits, dots, dashes or underscores';
  throw invalid(settings, 'topic', rule);
}

function readAdmin(settings: Settings, listen: Endpoint[]): AdminPage | null {
  const text = textOf(settings, 'admin');
  if (text === 'none') return null;
  const address = parseAddress(text);
  if (address === null) {
    throw invalid(settings, 'admin', 'it must look like 127.0.0.1:8514, or be none');
  }
  const isGiven = settings.has('admin');
  if (isGiven && isTaken(address, listen)) {
    throw invalid(settings, 'admin', 'syslog is taken there: choose another port');
  }
  return { address, isGiven };
}

/** Whether syslog is taken at a TCP port. */
export function isTaken(address: Address, listen: Endpoint[]): boolean {
  return listen.some(
    (other) => 'address' in other && other.scheme !== 'udp' && overlap(other.address, address),
  );
}

const RIEMANN_TLS = {
  ca: 'riemann-ca',
  certificate: 'riemann-certificate',
  key: 'riemann-key',
  passphrase: 'riemann-key-passphrase',
} as const;

function readRiemann(settings: Settings): RiemannTarget | null {
  const intervalMs = readNumber(settings, 'riemann-interval', INTERVAL_SECONDS) * 1000;
  const [, scheme, rest] = /^(?:([a-z]+):\/\/)?(.*)$/s.exec(textOf(settings, 'riemann')) ?? [];
  const isTls = scheme === 'tls';
  if (!isTls) {
    const needsTls = Object.values(RIEMANN_TLS).find((name) => settings.has(name));
    if (needsTls) throw invalid(settings, needsTls, 'needs TLS: riemann must be tls://host:port');
  }
  if (!settings.has('riemann') || rest === 'none') return null;
  const address = parseAddress(rest ?? '', isTls ? RIEMANN_TLS_PORT : RIEMANN_PORT);
  const isKnown = scheme === undefined || scheme === 'tcp' || isTls;
  if (!isKnown || address === null || address.port === 0) {
    throw invalid(
      settings,
      'riemann',
      'it must look like riemann.example.com:5555 or tls://…, or be none',
    );
  }
  return { address, intervalMs, ...(isTls && { tls: readTls(settings, RIEMANN_TLS) }) };
}

/** For people: where the values go. */
export function describeTarget(target: Target): string {
  if (target.kind === 'stdout') return 'standard output';
  if (target.kind === 'brokers') return `brokers ${target.addresses.map(formatAddress).join(',')}`;
  const { servers, chroot } = target.ensemble;
  return `ZooKeeper ${servers.map(formatAddress).join(',')}${chroot}`;
}
