import { fstatSync, writeSync } from 'node:fs';
import process from 'node:process';
import { check } from './commands/check.ts';
import { rsyslog } from './commands/rsyslog.ts';
import { parseCommandLine } from './config/command-line.ts';
import { readConfig } from './config/config.ts';
import { ConfigError, EXIT, UsageError } from './config/errors.ts';
import { gatherSettings } from './config/sources.ts';
import { runDaemon } from './daemon/daemon.ts';
import { type Endpoint, formatEndpoint } from './input/endpoint.ts';
import { createLog } from './log.ts';
import { currentRuntime } from './runtime/index.ts';
import { oneLine } from './text.ts';
import { COMMIT, PLATFORM, VERSION } from './version.ts';

const STDERR = 2;

const runtime = currentRuntime();

/** Nobody can read what was to be printed. */
class PrintError extends Error {
  override readonly name = 'PrintError';
}

async function main(args: string[]): Promise<number> {
  const commandLine = parseCommandLine(args);
  if (commandLine.command === 'help') return EXIT.drained;
  if (commandLine.command === 'version') {
    const made = `commit ${COMMIT}, ${runtime.name} ${runtime.version}, ${PLATFORM}`;
    await print(`syslogger ${VERSION} (${made})\n`);
    return EXIT.drained;
  }
  const settings = gatherSettings(commandLine.settings, process.env);
  const config = readConfig(settings);
  refuseUnsupported(config.listen);
  if (commandLine.command === 'check') {
    return check(config, settings, { runtime, print, connect: commandLine.connect });
  }
  if (commandLine.command === 'rsyslog') {
    await print(rsyslog(config));
    return EXIT.drained;
  }
  const log = createLog({
    write: writeStderr,
    level: config.logLevel,
    format: config.logFormat,
    isTerminal: process.stderr.isTTY === true,
    isJournal: isJournal(process.env.JOURNAL_STREAM),
  });
  return runDaemon(config, runtime, log);
}

/** Refuses what this runtime can't do, before anything is done. */
function refuseUnsupported(endpoints: Endpoint[]): void {
  const [missing] = endpoints.filter(({ scheme }) => scheme === 'unix-dgram');
  if (!missing || runtime.receiveUnix) return;
  const where = formatEndpoint(missing);
  throw new ConfigError(`listen ${where}: ${runtime.name} has no unix datagram sockets`);
}

async function print(text: string): Promise<void> {
  try {
    await runtime.writeStdout(new TextEncoder().encode(text));
  } catch (error) {
    throw new PrintError(`can't print: ${(error as Error).message}`);
  }
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

function complain(problem: string): void {
  writeStderr(`syslogger: ${oneLine(problem)}\n`);
}

main(process.argv.slice(2)).then(
  (code) => runtime.exit(code),
  (error: Error) => {
    const isUsage = error instanceof UsageError;
    if (isUsage || error instanceof ConfigError) {
      complain(error.message);
      runtime.exit(isUsage ? EXIT.usage : EXIT.config);
    }
    if (error instanceof PrintError) {
      complain(error.message);
      runtime.exit(EXIT.undelivered);
    }
    throw error;
  },
);
