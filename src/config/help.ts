import { OPTIONS, type Option, variableOf } from './options.ts';

/** What a terminal shows at least. */
const WIDTH = 80;
const INDENT = '        ';

/** A part of the help, as cac prints it. */
interface HelpSection {
  title?: string;
  body: string;
}

/**
 * The help: commands, options, and what else is to be known.
 * @param commands what each does; `run` is what is done without a command
 * @param more options that are not in the table, and their help
 */
export function helpSections(
  commands: Readonly<Record<string, string>>,
  more: Readonly<Record<string, string>>,
): HelpSection[] {
  const options = OPTIONS as readonly Option[];
  const flags = options.filter(({ isSecret }) => !isSecret);
  const secrets = options.filter(({ isSecret }) => isSecret);
  return [
    { body: 'syslogger: forwards syslog to Kafka and loses nothing' },
    { title: 'Usage', body: Object.entries(commands).map(usageOf).join('\n') },
    {
      title: 'Options',
      body: [
        ...flags.map((option) => entry(flagOf(option), helpOf(option))),
        ...Object.entries(more).map(([flag, help]) => entry(flag, help)),
        entry('-h, --help', 'show this'),
        entry('-v, --version', 'show the version'),
      ].join('\n'),
    },
    {
      title: 'Environment and file',
      body: [
        wrap(
          `Each option can be given as a variable (${variableOf('max-message-bytes')}=65536) and in ` +
            'the file (max-message-bytes = 65536); flags win over variables, and these over the file.',
          '  ',
        ),
        ...secrets.map(({ name, help }) =>
          wrap(`Only there, since it is secret: ${name}: ${help}.`, '  '),
        ),
      ].join('\n'),
    },
    {
      title: 'Exit codes',
      body: [
        '  0   everything that was received is acknowledged',
        '  1   something was left undelivered',
        '  64  the command line is wrong',
        "  78  the configuration is wrong, or it can't listen where it should",
      ].join('\n'),
    },
  ];
}

function usageOf([command, help]: [string, string]): string {
  const name = command === 'run' ? '' : ` ${command}`;
  return entry(`$ syslogger${name} [options]`, help);
}

/** An option as it is written on the command line. */
export function flagOf({ name, value }: Option): string {
  return value ? `--${name} <${value}>` : `--${name}`;
}

function helpOf(option: Option): string {
  return option.default ? `${option.help} (default: ${option.default})` : option.help;
}

function entry(head: string, help: string): string {
  return `  ${head}\n${wrap(help, INDENT)}`;
}

function wrap(text: string, indent: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.length - 1;
    if (indent.length + lines[line].length + word.length > WIDTH) lines.push(`${word} `);
    else lines[line] += `${word} `;
  }
  return lines.map((line) => `${indent}${line.trimEnd()}`).join('\n');
}
