import { ConfigError } from './errors.ts';
import { nearestOption, OPTIONS, type Option, type OptionName, variableOf } from './options.ts';
import type { Setting, Settings } from './settings.ts';

const PREFIX = 'SYSLOGGER_';
const YES = ['1', 'true', 'yes', 'on'];
const NO = ['0', 'false', 'no', 'off'];

/**
 * Reads the options that the environment gives. An empty variable counts as not there; a list's
 * values are separated by commas.
 * @throws {ConfigError} for a variable that begins like ours and is none
 */
export function readEnvironment(environment: Record<string, string | undefined>): Settings {
  const options = new Map<string, Option>(
    OPTIONS.map((option) => [variableOf(option.name), option]),
  );
  const settings = new Map<OptionName, Setting>();
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || !text || isOfKubernetes(variable, text)) continue;
    const option = options.get(variable);
    if (option === undefined) throw unknown(variable);
    const value = read(option, variable, text);
    settings.set(option.name as OptionName, { value, source: { kind: 'environment' } });
  }
  return settings;
}

/** What it gives every container beside a service that is called as we are. */
function isOfKubernetes(variable: string, text: string): boolean {
  if (variable === 'SYSLOGGER_PORT') return text.startsWith('tcp://');
  return /^SYSLOGGER_(SERVICE|PORT_\d+)_/.test(variable);
}

function read(option: Option, variable: string, text: string): Setting['value'] {
  if (option.type === 'list') return text.split(',').map((item) => item.trim());
  if (option.type !== 'switch') return text;
  if (YES.includes(text.toLowerCase())) return true;
  if (NO.includes(text.toLowerCase())) return false;
  throw new ConfigError(`${variable} ${text}: it is 1 or 0`);
}

function unknown(variable: string): ConfigError {
  const near = nearestOption(variable.slice(PREFIX.length));
  const hint = near ? `did you mean ${variableOf(near)}?` : 'see syslogger --help';
  return new ConfigError(`unknown environment variable ${variable}: ${hint}`);
}
