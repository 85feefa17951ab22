import { expect, test } from 'bun:test';
import { nearestOption, type OptionName } from '../../src/config/options.ts';
import {
  effective,
  mergeSettings,
  type Setting,
  type Settings,
} from '../../src/config/settings.ts';

function settings(values: Partial<Record<OptionName, Setting['value']>>): Settings {
  const source = { kind: 'flag' } as const;
  const entries = Object.entries(values).map(([name, value]) => [name, { value, source }] as const);
  return new Map(entries as [OptionName, Setting][]);
}

function merged(...sources: Partial<Record<OptionName, Setting['value']>>[]) {
  const all = mergeSettings(...sources.map(settings));
  return Object.fromEntries([...all].map(([name, { value }]) => [name, value]));
}

test('the first source wins, option by option', () => {
  expect(merged({ topic: 'a' }, { topic: 'b', format: 'raw' }, { format: 'json' })).toEqual({
    topic: 'a',
    format: 'raw',
  });
});

test('a group is from one source only, whatever it says about it', () => {
  expect(merged({ brokers: 'a' }, { zookeeper: 'b' }, { stdout: true })).toEqual({ brokers: 'a' });
  expect(merged({}, { zookeeper: 'b' }, { brokers: 'a', stdout: true })).toEqual({
    zookeeper: 'b',
  });
  expect(merged({ port: '1' }, { stdout: true, listen: [] })).toEqual({ port: '1', stdout: true });
});

test('two of a group from one source both stay, to be refused', () => {
  const both = { brokers: 'a', stdout: true };
  expect(merged(both, { zookeeper: 'b' })).toEqual(both);
  expect(merged({ topic: 'a' }, both)).toEqual({ topic: 'a', ...both });
});

test('a switch that is off hides the same of weaker sources, and goes', () => {
  expect(merged({ stdout: false }, { stdout: true, topic: 'a' })).toEqual({ topic: 'a' });
  expect(merged({ stdout: false }, {}, { stdout: true, brokers: 'a' })).toEqual({ brokers: 'a' });
  expect(merged({ stdout: true }, { stdout: false })).toEqual({ stdout: true });
  expect(merged({ stdout: false })).toEqual({});
});

test('a default is in force unless another option of its group is given', () => {
  const names = (given: Settings) => [...effective(given)].map(({ name }) => name);
  expect(names(settings({}))).toContain('zookeeper');
  expect(names(settings({ stdout: true }))).not.toContain('zookeeper');
  expect(names(settings({ stdout: true }))).toContain('listen');
});

test('what a misspelt option is nearest to, if to any', () => {
  const cases: [misspelt: string, name: string | undefined][] = [
    ['topics', 'topic'],
    ['MAX_MESSAGE_BYTES', 'max-message-bytes'],
    ['riemann-intervall', 'riemann-interval'],
    ['x', undefined],
    ['', undefined],
    ['kafka', undefined],
  ];
  for (const [misspelt, name] of cases) expect(nearestOption(misspelt)).toBe(name as OptionName);
});
