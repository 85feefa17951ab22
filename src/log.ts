import { createConsola, type LogObject } from 'consola/core';
import { oneLine } from './text.ts';

/** A condition that lasts is said again after this time, in ms. */
const REPEAT_AFTER_MS = 30_000;

/** From the most important on, as consola numbers them. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
/** The least important lines that are logged. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** How lines look: human suits what standard error is. */
export const LOG_FORMATS = ['human', 'logfmt', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

const CONSOLA_LEVELS: Record<LogLevel, number> = { error: 0, warn: 1, info: 3, debug: 4 };

/** RFC 5424's severities, as journald reads them from `<N>` at a line's start. */
const PRIORITIES: Record<string, number> = { error: 3, warn: 4, info: 6, debug: 7 };

/** What the daemon tells the operator: one line each. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  /** A condition that may be met again and again: a warning at once, then at a sensible pace. */
  repeated(condition: string, message: string): void;
  /** The condition is over: says so if it was reported. */
  recovered(condition: string): void;
}

/** Where the log goes, and for whom. */
export interface LogOptions {
  /** Where lines go. */
  write: (line: string) => void;
  level: LogLevel;
  format: LogFormat;
  /** Standard error is a terminal: colours and times for a person. */
  isTerminal: boolean;
  /** Standard error is journald's: it has times, and wants a priority. */
  isJournal: boolean;
  /** A clock that never jumps, in ms. */
  clock?: () => number;
}

/** What was said of a condition. */
interface Reported {
  /** When it began, and when it was said last. */
  since: number;
  at: number;
  message: string;
  isOver: boolean;
}

type Formatter = (entry: LogObject, message: string) => string;

/** Logs through consola, to standard error only. */
export function createLog(options: LogOptions): Log {
  const { write, level, clock = () => performance.now() } = options;
  const format = chooseFormatter(options);
  const consola = createConsola({
    level: CONSOLA_LEVELS[level],
    // consola's folding of repeated lines loses the last ones at exit.
    throttle: 0,
    reporters: [{ log: (entry) => write(`${format(entry, oneLine(entry.args.join(' ')))}\n`) }],
  });
  const reported = new Map<string, Reported>();
  return {
    debug: (message) => consola.debug(message),
    info: (message) => consola.info(message),
    warn: (message) => consola.warn(message),
    error: (message) => consola.error(message),
    repeated(condition, message) {
      const last = reported.get(condition);
      const now = clock();
      // Alternating causes of one condition must not flood the log, nor one that comes and goes.
      const silence = last?.message === message ? REPEAT_AFTER_MS : REPEAT_AFTER_MS / 10;
      if (last && now - last.at < silence) return;
      const since = last && !last.isOver ? last.since : now;
      reported.set(condition, { since, at: now, message, isOver: false });
      consola.warn(message);
    },
    recovered(condition) {
      const last = reported.get(condition);
      if (!last || last.isOver) return;
      last.isOver = true;
      const seconds = Math.round((clock() - last.since) / 1000);
      consola.info(`${condition}: all well again after ${seconds} s`);
    },
  };
}

function chooseFormatter({ format, isTerminal, isJournal }: LogOptions): Formatter {
  const plain = format === 'logfmt' ? forLogfmt : format === 'json' ? forJson : undefined;
  if (isJournal) return withPriority(plain ?? ((_, message) => message));
  return plain ?? (isTerminal ? forTerminal : forFile);
}

function withPriority(format: Formatter): Formatter {
  return (entry, message) => `<${PRIORITIES[entry.type] ?? 6}>${format(entry, message)}`;
}

function forTerminal({ type, date }: LogObject, message: string): string {
  const colour = type === 'error' ? 31 : type === 'warn' ? 33 : 36;
  return `\u001b[2m${date.toTimeString().slice(0, 8)}\u001b[0m \u001b[${colour}m${type}\u001b[0m ${message}`;
}

function forFile({ type, date }: LogObject, message: string): string {
  return `${date.toISOString()} ${type} ${message}`;
}

function forLogfmt({ type, date }: LogObject, message: string): string {
  return `time=${date.toISOString()} level=${type} msg=${JSON.stringify(message)}`;
}

function forJson({ type, date }: LogObject, message: string): string {
  return JSON.stringify({ time: date.toISOString(), level: type, msg: message });
}
