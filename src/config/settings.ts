import { ConfigError, UsageError } from './errors.ts';
import { findOption, OPTIONS, type Option, type OptionName, variableOf } from './options.ts';

/** Where a value was given: a flag, an environment variable, or a line of the file. */
export type Source =
  | { kind: 'flag' }
  | { kind: 'environment' }
  | { kind: 'file'; path: string; line?: number };

/** What was given for an option, as text; for a switch, whether it is on. */
export interface Setting {
  value: string | boolean | string[];
  source: Source;
}

/** What was given, by the options' names. */
export type Settings = ReadonlyMap<OptionName, Setting>;

/**
 * Puts together what several sources give; the first ones win. A switch that is off only hides what
 * weaker sources say about it.
 */
export function mergeSettings(...sources: Settings[]): Settings {
  const merged = new Map<OptionName, Setting>();
  const settled = new Set<string>();
  for (const source of sources) {
    const given = [...source].filter(([, { value }]) => value !== false);
    const groups = given.map(([name]) => findOption(name)?.group);
    for (const [name, setting] of source) {
      const group = findOption(name)?.group;
      if (!merged.has(name) && !(group && settled.has(group))) merged.set(name, setting);
    }
    for (const group of groups) if (group) settled.add(group);
  }
  for (const [name, { value }] of merged) if (value === false) merged.delete(name);
  return merged;
}

/** What was given for an option that takes one value, or its default, or nothing. */
export function textOf(settings: Settings, name: OptionName): string {
  const value = settings.get(name)?.value ?? findOption(name)?.default;
  return typeof value === 'string' ? value : '';
}

/** For people: where a value is from. */
export function describeSource(name: OptionName, source: Source | undefined): string {
  if (source === undefined) return 'default';
  if (source.kind === 'flag') return `--${name}`;
  if (source.kind === 'environment') return variableOf(name);
  return source.line === undefined ? source.path : `${source.path}:${source.line}`;
}

/** How an option is called where its value was given. */
function nameIn(source: Source | undefined, name: OptionName): string {
  if (source?.kind === 'file') return name;
  return source?.kind === 'environment' ? variableOf(name) : `--${name}`;
}

/** @param problem begins with the option's name */
function refuse(source: Source | undefined, name: OptionName, problem: string): Error {
  if (source === undefined || source.kind === 'flag') return new UsageError(problem);
  const where = source.kind === 'file' ? `${describeSource(name, source)}: ` : '';
  return new ConfigError(`${where}${problem}`);
}

/** The error for options of one source that can't be given together. */
export function exclusive(settings: Settings, names: OptionName[]): Error {
  const [first] = names;
  const source = settings.get(first)?.source;
  const listed = names.map((name) => nameIn(source, name)).join(' and ');
  return refuse(source, first, `${listed} exclude each other: give one of them`);
}

/**
 * The error for a value that is not good.
 * @param value what is wrong, as it was written, where that is not all that was given
 * @param problem what is wrong with it, or what it should be
 */
export function invalid(
  settings: Settings,
  name: OptionName,
  problem: string,
  value = settings.get(name)?.value ?? findOption(name)?.default ?? '',
): Error {
  const source = settings.get(name)?.source;
  const isShown = !findOption(name)?.isSecret && typeof value !== 'boolean';
  const shown = isShown ? ` ${value === '' ? '""' : value}` : '';
  return refuse(source, name, `${nameIn(source, name)}${shown}: ${problem}`);
}

/** What is in force for every option, with what the sources are. */
export function* effective(
  settings: Settings,
): Generator<{ option: Option; name: OptionName; value: Setting['value']; from: string }> {
  const groups = new Set([...settings.keys()].map((name) => findOption(name)?.group));
  for (const option of OPTIONS as readonly Option[]) {
    const name = option.name as OptionName;
    const setting = settings.get(name);
    // A default is not in force where another option takes its place.
    const isReplaced = option.group !== undefined && groups.has(option.group);
    const value = setting?.value ?? (isReplaced ? undefined : option.default);
    if (value === undefined) continue;
    yield { option, name, value, from: describeSource(name, setting?.source) };
  }
}
