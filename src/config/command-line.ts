import { cac } from 'cac';
import { UsageError } from './errors.ts';
import { flagOf, helpSections } from './help.ts';
import {
  findOption,
  nearest,
  nearestOption,
  OPTIONS,
  type Option,
  type OptionName,
  variableOf,
} from './options.ts';
import type { Setting, Settings } from './settings.ts';

/** What can be done; `run` is what is done without a command. */
const COMMANDS = {
  run: 'take syslog and forward it',
  check: 'check the configuration and print it, with where each value is from',
  rsyslog: 'print the rsyslog configuration that fits this one',
} as const;
type Command = keyof typeof COMMANDS;

export type CommandLine =
  | { command: 'run' | 'rsyslog'; settings: Settings }
  | { command: 'check'; settings: Settings; connect: boolean }
  /** cac has printed it. */
  | { command: 'help' }
  | { command: 'version' };

const CONNECT_HELP = 'also try ZooKeeper, each broker, the topic and Riemann';

/** cac makes 7 of `007`, and takes `true` behind a switch for its value: this hides them. */
const MARK = '\0';

/** Options that are no configuration, and how they begin. */
const OTHERS = ['help', 'version', 'connect'];

/**
 * Reads the command line.
 * @param args the arguments behind the program's name
 * @throws {UsageError} for what is not understood
 */
export function parseCommandLine(args: string[]): CommandLine {
  refuseUnknown(args);
  const cli = cac('syslogger');
  const given: { command: Command; options: Record<string, unknown> } = {
    command: 'run',
    options: {},
  };
  for (const command of Object.keys(COMMANDS) as Command[]) {
    const added = cli.command(command === 'run' ? '' : command, COMMANDS[command]);
    for (const option of OPTIONS as readonly Option[]) {
      if (!option.isSecret) added.option(flagOf(option), option.help);
    }
    if (command === 'check') added.option('--connect', CONNECT_HELP);
    added.action((options: Record<string, unknown>) => Object.assign(given, { command, options }));
  }
  cli.help(() => helpSections(COMMANDS, { '--connect (check only)': CONNECT_HELP }));
  cli.option('-v, --version', 'show the version');

  try {
    const { options } = cli.parse(['', '', ...args.map(mark)]);
    if (options.help) return { command: 'help' };
  } catch (error) {
    throw new UsageError(explain((error as Error).message));
  }
  const { command, options } = given;
  if (options.version) return { command: 'version' };
  const settings = collect(options);
  if (command === 'check') return { command, settings, connect: options.connect === true };
  return { command, settings };
}

/** cac's complaint in our words, with what may have been meant. */
function explain(complaint: string): string {
  const message = complaint.replaceAll(MARK, '');
  const [, unused] = /^Unused args: `([^`]*)`/.exec(message) ?? [];
  const [, incomplete] = /^option `--([\w-]+)[^`]*` value is missing/.exec(message) ?? [];
  if (incomplete) return `--${incomplete} needs a value; see --help`;
  if (message.includes('`--connect`')) {
    return '--connect goes with one command only: syslogger check --connect';
  }
  if (unused === undefined) return `${message}; see --help`;
  const commands = Object.keys(COMMANDS).filter((command) => command !== 'run');
  if (commands.includes(unused)) return `one command only: ${commands.join(' or ')}`;
  const meant = nearest(commands, unused);
  const hint = meant ? `did you mean syslogger ${meant}?` : 'see --help';
  return `unknown command ${unused}: ${hint}`;
}

function refuseUnknown(args: string[]): void {
  for (const arg of args) {
    if (arg === '-' || arg === '--') {
      throw new UsageError(`there is nothing but options: what is ${arg}? See --help`);
    }
    const [, dashes, name = '', value] = /^(--?)([^=]+)(=)?/.exec(arg) ?? [];
    if (dashes === undefined || arg === '-h' || arg === '-v') continue;
    const option = findOption(name);
    if (dashes === '--' && (option || OTHERS.includes(name))) {
      if (option?.isSecret) throw new UsageError(secretProblem(name));
      const takesValue = option?.value !== undefined;
      if (value && !takesValue) throw new UsageError(`--${name} takes no value: give it alone`);
      continue;
    }
    const near = nearestOption(name) ?? nearest(OTHERS, name);
    const hint = near ? `did you mean --${near}?` : 'see --help';
    throw new UsageError(`unknown option ${arg.replace(/=.*/s, '')}: ${hint}`);
  }
}

function secretProblem(name: string): string {
  const places = `${variableOf(name)} or in the configuration file`;
  return `--${name}: everybody on the machine can read the command line; give it in ${places}`;
}

function mark(arg: string): string {
  const [, flag = '', value = ''] = /^(--[^=]+=)?(.*)$/s.exec(arg) ?? [];
  const isTaken = Number.isFinite(Number(value)) || value === 'true' || value === 'false';
  return isTaken ? `${flag}${MARK}${value}` : arg;
}

function unmark(value: unknown): string {
  return String(value).replaceAll(MARK, '');
}

function collect(options: Record<string, unknown>): Settings {
  const settings = new Map<OptionName, Setting>();
  for (const option of OPTIONS as readonly Option[]) {
    const key = option.name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    const value = options[key];
    if (value === undefined) continue;
    settings.set(option.name as OptionName, {
      value: read(option, value),
      source: { kind: 'flag' },
    });
  }
  return settings;
}

function read({ name, type }: Option, value: unknown): Setting['value'] {
  if (type === 'switch') return true;
  if (type === 'list') {
    const values = [value].flat();
    // cac refuses a missing value only where the option is given once.
    if (values.includes(true)) throw new UsageError(`--${name} needs a value; see --help`);
    return values.map(unmark);
  }
  if (Array.isArray(value)) {
    throw new UsageError(`--${name} is given ${value.length} times; once is enough`);
  }
  return unmark(value);
}
