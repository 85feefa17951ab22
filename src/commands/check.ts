import { type Config, describeTarget } from '../config/config.ts';
import { EXIT } from '../config/errors.ts';
import type { Option } from '../config/options.ts';
import { effective, type Setting, type Settings } from '../config/settings.ts';
import { type Finding, probe } from '../probe/probe.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { oneLine } from '../text.ts';
import { VERSION } from '../version.ts';

/** Where the value's source is shown, where the value is not longer. */
const SOURCE_COLUMN = 44;

/** What checking needs, and whether it may use the network. */
export interface CheckOptions {
  runtime: Runtime;
  print: (text: string) => Promise<void>;
  connect: boolean;
}

/**
 * Prints a configuration that was found good, with each value's source, as a configuration file;
 * and with `connect` whether what it names can be used.
 * @returns the exit code
 */
export async function check(
  config: Config,
  settings: Settings,
  { runtime, print, connect }: CheckOptions,
): Promise<number> {
  const lines = [...effective(settings)].map(({ option, value, from }) =>
    line(option, value, from),
  );
  // At once, so that it does not matter when who reads it has seen enough.
  await print(`# syslogger ${VERSION}: every value is good\n${lines.join('')}`);
  if (!connect) return EXIT.drained;
  await print('\n');
  let tried = 0;
  let failed = 0;
  for await (const finding of probe(config, runtime)) {
    tried += 1;
    if (finding.verdict === 'FAIL') failed += 1;
    await print(describe(finding));
  }
  const verdict = failed === 0 ? 'all good' : `FAILED: ${failed} of ${tried}`;
  await print(`# forwarding to ${describeTarget(config.target)}: ${verdict}\n`);
  return failed === 0 ? EXIT.drained : EXIT.config;
}

function line(option: Option, value: Setting['value'], from: string): string {
  const shown = option.isSecret
    ? `# ${option.name} = (not shown)`
    : `${option.name === 'config' ? '# ' : ''}${option.name} = ${toToml(option, value)}`;
  // A path may hold line ends, a comment may not.
  return `${shown.padEnd(SOURCE_COLUMN)} # ${from.replace(/\p{Cc}/gu, '?')}\n`;
}

function toToml({ type }: Option, value: Setting['value']): string {
  if (type === 'number') return String(Number(value));
  const written = type === 'list' ? [value].flat() : value;
  // All that JSON's texts may hold and TOML's may not.
  return JSON.stringify(written).replaceAll('\x7f', '\\u007f');
}

function describe({ verdict, what, says }: Finding): string {
  return `# ${verdict}  ${oneLine(`${what}: ${says}`)}\n`;
}
