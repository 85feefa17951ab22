import { createConsola, type LogObject } from 'consola/core';

/** A condition that lasts is said again after this time, in ms. */
const REPEAT_AFTER_MS = 30_000;

/** RFC 5424's severities, as journald reads them from `<N>` at a line's start. */
const PRIORITIES: Record<string, number> = { error: 3, warn: 4, info: 6 };

/** What the daemon tells the operator: one line each. */
export interface Log {
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
  /** Standard error is a terminal: colours and times for a person. */
  isTerminal: boolean;
  /** Standard error is journald's: it has times, and wants a priority. */
  isJournal: boolean;
}

/** Logs through consola, to standard error only. */
export function createLog({ write, isTerminal, isJournal }: LogOptions): Log {
  const format = isTerminal ? forTerminal : isJournal ? forJournal : forFile;
  const consola = createConsola({
    // consola's folding of repeated lines loses the last ones at exit.
    throttle: 0,
    reporters: [{ log: (entry) => write(`${format(entry, entry.args.join(' '))}\n`) }],
  });
  const reported = new Map<string, { at: number; message: string }>();
  return {
    info: (message) => consola.info(message),
    warn: (message) => consola.warn(message),
    error: (message) => consola.error(message),
    repeated(condition, message) {
      const last = reported.get(condition);
      const now = Date.now();
      if (last && last.message === message && now - last.at < REPEAT_AFTER_MS) return;
      // Alternating causes of one condition must not flood the log either.
      if (last && now - last.at < REPEAT_AFTER_MS / 10) return;
      reported.set(condition, { at: now, message });
      consola.warn(message);
    },
    recovered(condition) {
      if (reported.delete(condition)) consola.info(`${condition}: all well again`);
    },
  };
}

function forTerminal({ type, date }: LogObject, message: string): string {
  const colour = type === 'error' ? 31 : type === 'warn' ? 33 : 36;
  return `\u001b[2m${date.toTimeString().slice(0, 8)}\u001b[0m \u001b[${colour}m${type}\u001b[0m ${message}`;
}

function forJournal({ type }: LogObject, message: string): string {
  return `<${PRIORITIES[type] ?? 6}>${message}`;
}

function forFile({ type, date }: LogObject, message: string): string {
  return `${date.toISOString()} ${type} ${message}`;
}
