import { cac } from 'cac';
import { UsageError } from './errors.ts';
import { nearestOption, OPTIONS, type Option, type OptionName } from './options.ts';

/** What was given for each option, as text; `true` for a switch. */
export type Given = Partial<Record<OptionName, string | true | string[]>>;

export type CommandLine =
  | { command: 'run'; given: Given }
  /** cac has printed it. */
  | { command: 'help' }
  | { command: 'version' };

/** cac takes what looks like a number for one, so that `007` becomes 7: this hides it. */
const MARK = '\0';

/**
 * Reads the command line.
 * @param args the arguments behind the program's name
 * @throws {UsageError} for what is not understood
 */
export function parseCommandLine(args: string[]): CommandLine {
  refuseUnknown(args);
  const cli = cac('syslogger');
  const run = cli.command('');
  for (const option of OPTIONS as readonly Option[]) {
    const flag = option.value ? `--${option.name} <${option.value}>` : `--${option.name}`;
    const shown = option.default ? `${option.help} (default: ${option.default})` : option.help;
    run.option(flag, shown);
  }
  cli.help((sections) => [
    { body: 'syslogger: forwards syslog to Kafka and loses nothing' },
    { title: 'Usage', body: '  $ syslogger [options]' },
    ...sections.filter(({ title }) => title === 'Options'),
  ]);
  cli.option('-v, --version', 'Show the version');

  let given: Record<string, unknown> = {};
  run.action((options: Record<string, unknown>) => {
    given = options;
  });
  try {
    const { options } = cli.parse(['', '', ...args.map(mark)]);
    if (options.help) return { command: 'help' };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}; see --help`.replaceAll(MARK, ''));
  }
  if (given.version) return { command: 'version' };
  return { command: 'run', given: collect(given) };
}

function refuseUnknown(args: string[]): void {
  const known = new Set<string>([...OPTIONS.map(({ name }) => name), 'help', 'version']);
  for (const arg of args) {
    if (arg === '-' || arg === '--') {
      throw new UsageError(`there is nothing but options: what is ${arg}? See --help`);
    }
    const [, dashes, name = '', value] = /^(--?)([^=]+)(=)?/.exec(arg) ?? [];
    if (dashes === undefined || arg === '-h' || arg === '-v') continue;
    if (dashes === '--' && known.has(name)) {
      const option = OPTIONS.find((candidate) => candidate.name === name);
      const takesValue = option !== undefined && 'value' in option;
      if (value && !takesValue) throw new UsageError(`--${name} takes no value: give it alone`);
      continue;
    }
    const nearest = nearestOption(name);
    const hint = nearest ? `did you mean --${nearest}?` : 'see --help';
    throw new UsageError(`unknown option ${arg.replace(/=.*/s, '')}: ${hint}`);
  }
}

function mark(arg: string): string {
  const [, flag = '', value = ''] = /^(--[^=]+=)?(.*)$/s.exec(arg) ?? [];
  return Number.isFinite(Number(value)) ? `${flag}${MARK}${value}` : arg;
}

function unmark(value: unknown): string {
  return String(value).replaceAll(MARK, '');
}

function collect(options: Record<string, unknown>): Given {
  const given: Given = {};
  for (const option of OPTIONS as readonly Option[]) {
    const key = option.name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    const value = options[key];
    if (value === undefined) continue;
    const name = option.name as OptionName;
    if (!option.value) {
      given[name] = true;
    } else if (option.isList) {
      const values = [value].flat();
      // cac refuses a missing value only where the option is given once.
      if (values.includes(true)) throw new UsageError(`--${name}: value is missing; see --help`);
      given[name] = values.map(unmark);
    } else if (Array.isArray(value)) {
      throw new UsageError(`--${name} is given ${value.length} times; once is enough`);
    } else {
      given[name] = unmark(value);
    }
  }
  return given;
}
