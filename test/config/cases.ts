import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { start } from '../support/process.ts';

/** A configuration that is refused. */
export interface BadConfig {
  name: string;
  /** Where it lies, and where it is tried. */
  dir: string;
  args: string[];
  env: Record<string, string>;
  code: number;
  stderr: string;
}

/** Keys and certificates. */
export const TLS = join(import.meta.dirname, 'tls');

const SYSLOGGER = resolve(import.meta.dirname, '../../dist/syslogger');

/** All cases of test/config. */
export function badConfigs(): BadConfig[] {
  return readdirSync(import.meta.dirname)
    .filter((name) => existsSync(join(import.meta.dirname, name, 'expected')))
    .sort()
    .map(readCase);
}

function readCase(name: string): BadConfig {
  const dir = join(import.meta.dirname, name);
  const linesOf = (file: string) => {
    const path = join(dir, file);
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    return text.replaceAll('{dir}', dir).split('\n').slice(0, -1);
  };
  const file = join(dir, 'syslogger.toml');
  const [code, ...stderr] = linesOf('expected');
  return {
    name,
    dir,
    args: [...(existsSync(file) ? ['--config', file] : []), ...linesOf('arguments')],
    env: Object.fromEntries(linesOf('environment').map(readVariable)),
    code: Number(code),
    stderr: `${stderr.join('\n')}\n`,
  };
}

function readVariable(line: string): [name: string, value: string] {
  const at = line.indexOf('=');
  return [line.slice(0, at), line.slice(at + 1)];
}

/** What the program is given besides its command line. */
export interface Surroundings {
  /** All the variables of ours that it has. */
  env?: Record<string, string>;
  cwd?: string;
}

/** Runs the binary to its end, with nothing of ours from the tests' environment; SIGKILL after 15 s. */
export async function runWith(args: string[], { env, cwd }: Surroundings = {}) {
  const ours = Object.keys(process.env).filter((name) => name.startsWith('SYSLOGGER_'));
  const without = Object.fromEntries(ours.map((name) => [name, undefined]));
  const child = start('syslogger', [SYSLOGGER, ...args], {
    env: { ...without, ...env },
    ...(cwd !== undefined && { cwd }),
  });
  const timer = setTimeout(() => child.signal('SIGKILL'), 15_000);
  const { code } = await child.exited;
  clearTimeout(timer);
  return { code, stdout: child.stdout(), stderr: child.stderr() };
}
