import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from './temp.ts';
import { type WaitOptions, waitFor } from './wait.ts';

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface SpawnOptions {
  cwd?: string;
  env?: Record<string, string | undefined>;
}

/** A process that we started. Its output goes straight to files, so it never waits for us. */
export interface Child {
  readonly pid: number;
  readonly stdoutPath: string;
  readonly stderrPath: string;
  /** Resolves when it has ended. */
  readonly exited: Promise<Exit>;
  /** How it ended, or undefined while it runs. */
  exit(): Exit | undefined;
  /** What it wrote so far. */
  stdout(): string;
  stderr(): string;
  /** Waits for a line on stdout or stderr; fails at once when the process ends without it. */
  waitForLine(pattern: RegExp, options?: WaitOptions): Promise<RegExpMatchArray>;
  signal(signal: NodeJS.Signals): void;
  /** Sends the signal, and SIGKILL when it still runs after the deadline (default 10,000 ms). */
  stop(signal?: NodeJS.Signals, deadlineMs?: number): Promise<Exit>;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<Exit>;
}

const running = new Map<number, Child>();

const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find(existsSync);

/**
 * Put before a command: Linux itself kills it when we die, however that happens. `bun test` runs no
 * exit handlers, and a crash or SIGKILL couldn't. Elsewhere the exit handler does what it can.
 */
export const dieWithUs = setpriv ? [setpriv, '--pdeathsig', 'KILL', '--'] : [];
process.on('exit', () => {
  for (const child of running.values()) child.signal('SIGKILL');
});

/** Starts a program; it ends at the latest when this process ends. */
export function start(name: string, command: string[], options: SpawnOptions = {}): Child {
  const dir = tempDir(name);
  const stdoutPath = join(dir, 'stdout.log');
  const stderrPath = join(dir, 'stderr.log');
  const files = [openSync(stdoutPath, 'w'), openSync(stderrPath, 'w')] as const;
  const [program, ...args] = [...dieWithUs, ...command] as [string, ...string[]];
  const handle = spawn(program, args, {
    stdio: ['ignore', ...files],
    // A session of its own: Ctrl-C in a terminal reaches us alone, and we stop it in order.
    detached: true,
    env: { ...process.env, ...options.env },
    ...(options.cwd && { cwd: options.cwd }),
  });
  files.forEach(closeSync);

  let ended: Exit | undefined;
  const exited = new Promise<Exit>((resolve, reject) => {
    handle.once('error', reject);
    handle.once('exit', (code, signal) => {
      ended = { code, signal };
      running.delete(handle.pid ?? 0);
      resolve(ended);
    });
  });
  exited.catch(() => {});
  const { pid } = handle;
  if (pid === undefined) throw new Error(`can't start ${command[0]}`);

  const stdout = () => readFileSync(stdoutPath, 'utf8');
  const stderr = () => readFileSync(stderrPath, 'utf8');
  const signal = (sent: NodeJS.Signals) => {
    if (!ended) handle.kill(sent);
  };
  const stop = async (sent: NodeJS.Signals = 'SIGTERM', deadlineMs = 10_000) => {
    signal(sent);
    const timer = setTimeout(() => signal('SIGKILL'), deadlineMs);
    const exit = await exited;
    clearTimeout(timer);
    return exit;
  };
  const waitForLine = (pattern: RegExp, wait?: WaitOptions) =>
    waitFor(
      `no ${pattern} from ${name}, see ${stderrPath}`,
      () => {
        // Asked before reading, so that the last words of a process that has just ended count.
        const over = ended;
        const found = stderr().match(pattern) ?? stdout().match(pattern);
        if (!found && over) {
          throw new Error(`${name} ended ${JSON.stringify(over)}: ${stderr().slice(-2000)}`);
        }
        return found ?? undefined;
      },
      wait,
    );

  const child: Child = {
    pid,
    stdoutPath,
    stderrPath,
    exited,
    exit: () => ended,
    stdout,
    stderr,
    waitForLine,
    signal,
    stop,
    kill: () => stop('SIGKILL'),
  };
  running.set(pid, child);
  return child;
}

/** Physical memory of a process in bytes (Linux). */
export function rss(pid: number): number {
  return memory(pid, 'VmRSS');
}

/** The most physical memory that a process ever had, in bytes. */
export function peakMemory(pid: number): number {
  return memory(pid, 'VmHWM');
}

function memory(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(status.match(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm'))?.[1] ?? 0) * 1024;
}

/** The processor time that a process has used, in seconds. */
export function cpuSeconds(pid: number): number {
  // Behind the name in parentheses, which may hold anything: utime and stime, in ticks of 10 ms.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
