import { readEnvironment } from './environment.ts';
import { readFile } from './file.ts';
import { invalid, mergeSettings, type Settings, textOf } from './settings.ts';

/**
 * Everything that is given: flags win over the environment, and that over the file that one of
 * them names.
 * @throws {UsageError | ConfigError} for what can't be read or is not known
 */
export function gatherSettings(
  flags: Settings,
  environment: Record<string, string | undefined>,
): Settings {
  const sources = [flags, readEnvironment(environment)];
  const given = mergeSettings(...sources);
  if (!given.has('config')) return given;
  const path = textOf(given, 'config');
  if (path === '') throw invalid(given, 'config', 'it must name a file');
  return mergeSettings(...sources, readFile(path));
}
