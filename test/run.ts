import { spawn } from 'node:child_process';
import { existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  ensureDebian,
  ensureKafka,
  KAFKA_WITH_ZOOKEEPER,
  KAFKA_WITHOUT_ZOOKEEPER,
} from './support/install.ts';
import { removeLeftovers, removeTemp, tempDir } from './support/temp.ts';

interface Count {
  passed: number;
  failed: number;
}

const project = resolve(import.meta.dirname, '..');
const bin = (name: string) => join(project, 'node_modules/.bin', name);
const bun = bin('bun');

/** One test may take this long, and one process of tests. */
const TEST_TIMEOUT_MS = 120_000;
const PROCESS_TIMEOUT_MS = 400_000;

const filters = process.argv.slice(2);
const files = testFiles(filters);
const endToEnd = files.filter(isEndToEnd);
const others = files.filter((file) => !isEndToEnd(file));

const results: [name: string, count: Count][] = [];
const add = async (name: string, work: () => Promise<Count>) => {
  console.log(`\n── ${name}`);
  const started = performance.now();
  const count = await work();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`── ${name}: ${describe(count)} in ${seconds} s`);
  results.push([name, count]);
};

if (filters.length === 0) {
  await add('type-check', () => check([bin('tsc')]));
  await add('lint', () =>
    check([bin('biome'), 'ci', `--colors=${process.stdout.isTTY ? 'force' : 'off'}`, '.']),
  );
}
await add('build', () => check([bun, 'build.ts']));
if (endToEnd.length > 0) await add('install Kafka, rsyslog and kcat', install);
// They wait most of their time, so they run beside those that follow; what they say comes later.
const aside = endToEnd.length > 0 ? join(tempDir('aside'), 'output') : undefined;
const fast = others.length > 0 ? runTests(others, aside) : undefined;
// One after another and each in a process of its own: they start brokers, and measure.
for (const file of endToEnd) await add(file, () => runTests([file]));
if (fast) {
  await add('fast tests', async () => {
    const count = await fast;
    if (aside) console.log(readFileSync(aside, 'utf8'));
    return count;
  });
}
if (filters.length > 0 && files.length === 0) {
  await add(`no test file is named like ${filters.join(' ')}`, async () => ({
    passed: 0,
    failed: 1,
  }));
}

const failures = results.filter(([, { failed }]) => failed > 0);
const total = results.reduce(
  (sum, [, count]) => ({ passed: sum.passed + count.passed, failed: sum.failed + count.failed }),
  { passed: 0, failed: 0 },
);
removeTemp();
if (total.failed === 0) removeLeftovers();
console.log(failures.map(([name, count]) => `\nfailed: ${name} (${describe(count)})`).join(''));
console.log(describe(total));
process.exitCode = total.failed === 0 ? 0 : 1;

/** All test files below test/ that one of the filters is part of, or all when there is none. */
function testFiles(filters: string[]): string[] {
  return readdirSync(join(project, 'test'), { recursive: true, encoding: 'utf8' })
    .map((file) => join('test', file))
    .filter((file) => file.endsWith('.test.ts'))
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
    .sort();
}

function isEndToEnd(file: string): boolean {
  return file.startsWith('test/e2e/');
}

async function check(command: string[]): Promise<Count> {
  const code = await run(command);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** Only a failure counts: what is installed proves nothing yet. */
async function install(): Promise<Count> {
  try {
    await ensureKafka(KAFKA_WITH_ZOOKEEPER);
    await ensureKafka(KAFKA_WITHOUT_ZOOKEEPER);
    await ensureDebian(['rsyslogd', 'kcat']);
    return { passed: 0, failed: 0 };
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return { passed: 0, failed: 1 };
  }
}

/** @param output the file that gets what they say; our terminal does where it is absent */
async function runTests(files: string[], output?: string): Promise<Count> {
  const report = join(tempDir('report'), 'junit.xml');
  const command = [
    ...[bun, 'test', '--timeout', String(TEST_TIMEOUT_MS)],
    ...['--reporter', 'junit', '--reporter-outfile', report],
    // With ./ these are files; without it, patterns.
    ...files.map((file) => `./${file}`),
  ];
  const code = await run(command, output);
  const complete = code === 0 && existsSync(report);
  const count = existsSync(report) ? readCount(report) : { passed: 0, failed: 0 };
  // A crash, a time-out, an early exit or an error outside any test isn't in the report.
  if (!complete && count.failed === 0) count.failed = 1;
  return count;
}

function readCount(report: string): Count {
  const [, attributes = ''] = readFileSync(report, 'utf8').match(/<testsuites([^>]*)>/) ?? [];
  const number = (name: string) => Number(attributes.match(` ${name}="(\\d+)"`)?.[1] ?? 0);
  const failed = number('failures') + number('errors');
  return { passed: number('tests') - failed - number('skipped'), failed };
}

/**
 * Runs a command with our terminal, or with a file that gets its output; resolves to its exit code,
 * or null when a signal ended it.
 */
function run(command: string[], output?: string): Promise<number | null> {
  const [program, ...args] = command as [string, ...string[]];
  const written = output === undefined ? 'inherit' : openSync(output, 'w');
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: project,
      stdio: ['ignore', written, written],
      timeout: PROCESS_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    child.once('error', (error) => {
      console.error(error.message);
      resolve(null);
    });
    child.once('exit', resolve);
  });
}

function describe({ passed, failed }: Count): string {
  return `${passed} passed, ${failed} failed`;
}
