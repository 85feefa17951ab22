import { parse, TomlError } from 'smol-toml';
import { ConfigError } from './errors.ts';
import { findOption, nearestOption, type Option, type OptionName } from './options.ts';
import { readSmallFile } from './read.ts';
import type { Setting, Settings } from './settings.ts';

/** How a type is called when a value is not of it. */
const TYPES: Record<Option['type'], string> = {
  text: 'a text in quotes',
  number: 'a number, without quotes',
  switch: 'true or false, without quotes',
  list: 'a list of texts in quotes',
};

/** What the parser says, where it is not plain what to do about it. */
const PROBLEMS: [saying: string, meaning: string][] = [
  ['invalid value', 'there is no such value: a text stands in quotes'],
  ['trying to redefine', 'this key is given twice'],
  ['control characters', 'a closing quote is missing, or the text holds a control character'],
  ['integer value', 'the number is too large'],
];

/**
 * Reads a configuration file (TOML): the options' names are its keys.
 * @throws {ConfigError} that names the file, and the line where that is known
 */
export function readFile(path: string): Settings {
  const text = load(path);
  const settings = new Map<OptionName, Setting>();
  for (const [key, written] of Object.entries(parseToml(path, text))) {
    const line = lineOf(text, key);
    const where = line === undefined ? path : `${path}:${line}`;
    if (isTable(written)) {
      throw new ConfigError(
        `${where}: ${key} is a table: write options without one, with names like riemann-ca`,
      );
    }
    const option = findOption(key);
    if (option === undefined) throw unknown(where, key);
    if (option.name === 'config') {
      throw new ConfigError(`${where}: config: a configuration file can't name another one`);
    }
    const value = read(option, written);
    if (value === undefined) {
      throw new ConfigError(`${where}: ${key} must be ${TYPES[option.type]}${exampleOf(option)}`);
    }
    const source = { kind: 'file' as const, path, ...(line !== undefined && { line }) };
    settings.set(option.name as OptionName, { value, source });
  }
  return settings;
}

function load(path: string): string {
  const bytes = readOrRefuse(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ConfigError(`can't read ${path}: it is not UTF-8`);
  }
}

function readOrRefuse(path: string): Uint8Array {
  try {
    return readSmallFile(path);
  } catch (error) {
    throw new ConfigError(`can't read ${path}: ${(error as Error).message}`);
  }
}

function parseToml(path: string, text: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [first] = error.message.split('\n');
    const saying = first.replace('Invalid TOML document: ', '');
    const [, meaning] = PROBLEMS.find(([known]) => saying.startsWith(known)) ?? [];
    throw new ConfigError(`${path}:${error.line}:${error.column}: ${meaning ?? saying}`);
  }
}

function isTable(written: unknown): boolean {
  const isObject = typeof written === 'object' && written !== null;
  return isObject && !Array.isArray(written) && !(written instanceof Date);
}

/** What a value of it looks like, where that is more than its type tells. */
function exampleOf({ type, value }: Option): string {
  if (type === 'text') return `: "${value}"`;
  return type === 'list' ? `: ["${value}"]` : '';
}

/** @returns the value as text, a switch's as it is, undefined for a wrong type */
function read(option: Option, written: unknown): Setting['value'] | undefined {
  const isText = typeof written === 'string';
  switch (option.type) {
    case 'text':
      return isText ? written : undefined;
    case 'number':
      return typeof written === 'number' || typeof written === 'bigint'
        ? String(written)
        : undefined;
    case 'switch':
      return typeof written === 'boolean' ? written : undefined;
    case 'list':
      if (isText) return [written];
      return Array.isArray(written) && written.every((item) => typeof item === 'string')
        ? written
        : undefined;
  }
}

function unknown(where: string, key: string): ConfigError {
  const near = nearestOption(key);
  const hint = near ? `did you mean ${near}?` : 'see syslogger --help';
  return new ConfigError(`${where}: unknown key ${key}: ${hint}`);
}

/** The line of a key; the parser keeps none for those that it has understood. */
function lineOf(text: string, key: string): number | undefined {
  const isKey = (line: string) => {
    const [, quoted, bare] = /^\s*\[*\s*(?:["']([^"']*)["']|([\w-]+))\s*[=.\]]/.exec(line) ?? [];
    return (quoted ?? bare) === key;
  };
  const at = text.split('\n').findIndex(isKey);
  return at < 0 ? undefined : at + 1;
}
