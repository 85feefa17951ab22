import { join, resolve } from 'node:path';
import { type Child, rss, start } from './process.ts';
import type { WaitOptions } from './wait.ts';

/** How the daemon runs: compiled, or its bundle under Node, or its sources under Deno. */
export type Runner = 'binary' | 'node' | 'deno';

export const runners: Runner[] = ['binary', 'deno', 'node'];

export interface SysloggerOptions {
  runner?: Runner;
  /** Its command line; unless it says so itself, it listens on a free port and has no admin page. */
  args: string[];
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** A FIFO that its standard output goes to instead of the file behind `stdout()`. */
  fifo?: string;
  /** Doesn't wait until it listens; `port` is 0 until `waitUntilListening()`. */
  dontWait?: boolean;
}

export interface Stopped {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** From the signal to the end of the process. */
  ms: number;
  /** The last line of its log, where it accounts for what it received and delivered. */
  ledger: string;
}

export interface Syslogger {
  readonly pid: number;
  /** The first port that it listens on. */
  readonly port: number;
  /** The first port that it listens on with this scheme. */
  portOf(scheme: string): number;
  readonly child: Child;
  /** What it wrote to stderr and to stdout so far. */
  stderr(): string;
  stdout(): string;
  waitUntilListening(options?: WaitOptions): Promise<number>;
  /** Waits for a line on stderr (or stdout); fails at once when it ends without it. */
  waitForLog(pattern: RegExp, options?: WaitOptions): Promise<RegExpMatchArray>;
  /** Sends the signal and waits for the end; SIGKILL after a minute. */
  stop(signal?: NodeJS.Signals): Promise<Stopped>;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
  /** Its physical memory in bytes. */
  rss(): number;
  /** SIGSTOP and SIGCONT. */
  pause(): void;
  resume(): void;
}

const project = resolve(import.meta.dirname, '../..');

const commands: Record<Runner, string[]> = {
  binary: [join(project, 'dist/syslogger')],
  node: ['node', join(project, 'dist/syslogger.mjs')],
  deno: [join(project, 'node_modules/.bin/deno'), 'run', '-A', join(project, 'src/main.ts')],
};

/** Starts the daemon and waits until it listens. */
export async function startSyslogger(options: SysloggerOptions): Promise<Syslogger> {
  const { runner = 'binary', args, env, cwd, fifo, dontWait } = options;
  const listens = args.some((arg) => /^--(listen|port)\b/.test(arg));
  const listen = listens ? [] : ['--listen', 'tcp://127.0.0.1:0'];
  const admin = args.some((arg) => arg.startsWith('--admin')) ? [] : ['--admin', 'none'];
  const redirect = fifo ? ['sh', '-c', 'exec "$@" >"$0"', fifo] : [];
  const command = [...redirect, ...commands[runner], ...listen, ...admin, ...args];
  const child = start(`syslogger-${runner}`, command, {
    ...(env && { env }),
    ...(cwd && { cwd }),
  });

  let listening = '';
  const portOf = (scheme = '[a-z]+') =>
    Number(new RegExp(`(?<![a-z])${scheme}://[^, ]+:(\\d+)`).exec(listening)?.[1] ?? 0);
  const waitUntilListening = async (wait?: WaitOptions) => {
    const found = await child.waitForLine(/listening on (.*), forwarding to/, wait);
    listening = found[1] ?? '';
    return portOf();
  };
  if (!dontWait) await waitUntilListening();

  return {
    pid: child.pid,
    get port() {
      return portOf();
    },
    portOf,
    child,
    stderr: child.stderr,
    stdout: child.stdout,
    waitUntilListening,
    waitForLog: child.waitForLine,
    stop: async (signal = 'SIGTERM') => {
      const asked = performance.now();
      const exit = await child.stop(signal, 60_000);
      const ms = performance.now() - asked;
      return { ...exit, ms, ledger: child.stderr().trimEnd().split('\n').at(-1) ?? '' };
    },
    kill: async () => void (await child.kill()),
    rss: () => rss(child.pid),
    pause: () => child.signal('SIGSTOP'),
    resume: () => child.signal('SIGCONT'),
  };
}

/** Runs the binary with a command line that ends by itself; SIGKILL after 15 s. */
export async function runSyslogger(args: string[], cwd?: string) {
  const child = start('syslogger', [...commands.binary, ...args], cwd === undefined ? {} : { cwd });
  const timer = setTimeout(() => child.signal('SIGKILL'), 15_000);
  const { code } = await child.exited;
  clearTimeout(timer);
  return { code, stdout: child.stdout(), stderr: child.stderr() };
}
