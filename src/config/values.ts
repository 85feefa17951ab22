import { type Address, parseAddress } from '../address.ts';
import type { OptionName } from './options.ts';
import { invalid, type Settings, textOf } from './settings.ts';

/** What an option takes: a number of what, from where to where. */
export interface Range {
  unit: 'bytes' | 'seconds' | 'connections';
  min: number;
  max: number;
}

/** @throws {UsageError | ConfigError} unless it is a number in the range; only seconds have fractions */
export function readNumber(settings: Settings, name: OptionName, range: Range): number {
  const { unit, min, max } = range;
  const text = textOf(settings, name);
  const isNumber = (unit === 'seconds' ? /^\d{1,6}(\.\d+)?$/ : /^\d{1,15}$/).test(text);
  const number = isNumber ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  const kind = unit === 'seconds' ? 'a number' : 'a whole number';
  throw invalid(settings, name, `must be ${kind} of ${unit} from ${min} to ${max}`, text);
}

/** @throws {UsageError | ConfigError} unless it is one of the words */
export function readChoice<T extends string>(
  settings: Settings,
  name: OptionName,
  words: readonly T[],
): T {
  const text = textOf(settings, name);
  const word = words.find((known) => known === text);
  if (word !== undefined) return word;
  const last = words.at(-1);
  throw invalid(settings, name, `it is ${words.slice(0, -1).join(', ')} or ${last}`);
}

/** @throws {UsageError | ConfigError} unless it is a list of `host:port`, the port with a default */
export function readAddresses(
  settings: Settings,
  name: OptionName,
  list: string,
  defaultPort: number,
): Address[] {
  return list.split(',').map((item) => {
    const address = parseAddress(item.trim(), defaultPort);
    if (address === null || address.port === 0) {
      throw invalid(settings, name, `"${item}" is not host:port`);
    }
    return address;
  });
}

/** @throws {UsageError | ConfigError} if only some of the options are given */
export function requireTogether(settings: Settings, names: OptionName[]): void {
  const given = names.filter((name) => settings.has(name));
  const missing = names.find((name) => !settings.has(name));
  if (given.length === 0 || missing === undefined) return;
  throw invalid(settings, given[0], `needs ${missing} as well`);
}
