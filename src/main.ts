import { fstatSync, writeSync } from 'node:fs';
import process from 'node:process';
import packageJson from '../package.json' with { type: 'json' };
import { parseCommandLine } from './config/command-line.ts';
import { readConfig } from './config/config.ts';
import { ConfigError, EXIT, UsageError } from './config/errors.ts';
import { runDaemon } from './daemon.ts';
import { createLog } from './log.ts';
import { currentRuntime } from './runtime/index.ts';

const STDERR = 2;

const runtime = currentRuntime();

async function main(args: string[]): Promise<number> {
  const commandLine = parseCommandLine(args);
  if (commandLine.command === 'help') return EXIT.drained;
  if (commandLine.command === 'version') {
    const { platform, arch } = process;
    const made = `${runtime.name} ${runtime.version}, ${platform}-${arch}`;
    await print(`syslogger ${packageJson.version} (${made})`);
    return EXIT.drained;
  }
  const config = readConfig(commandLine.given);
  const log = createLog({
    write: writeStderr,
    isTerminal: process.stderr.isTTY === true,
    isJournal: isJournal(process.env.JOURNAL_STREAM),
  });
  return runDaemon(config, runtime, log);
}

async function print(text: string): Promise<void> {
  await runtime.writeStdout(new TextEncoder().encode(`${text}\n`));
}

/**
 * Whether standard error goes to journald, whose socket systemd names as `device:inode`.
 * The variable alone does not tell: who redirects standard error hands it on as well.
 */
function isJournal(stream: string | undefined): boolean {
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(STDERR);
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** Synchronously, so that the last lines are out when the process ends. */
function writeStderr(text: string): void {
  try {
    writeSync(STDERR, text);
  } catch {
    // Nobody reads the log: forwarding goes on.
  }
}

main(process.argv.slice(2)).then(
  (code) => runtime.exit(code),
  (error: Error) => {
    const isUsage = error instanceof UsageError;
    if (isUsage || error instanceof ConfigError) {
      // An argument may hold line ends; what is wrong with it is one line.
      writeStderr(`syslogger: ${error.message.replace(/[\r\n]+/g, ' ')}\n`);
      runtime.exit(isUsage ? EXIT.usage : EXIT.config);
    }
    throw error;
  },
);
