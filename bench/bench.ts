/** `npm run bench`: measures syslogger and rsyslog's omkafka in turns, on real parts. */
import { cpus, totalmem } from 'node:os';
import { cac } from 'cac';
import { run } from '../test/support/command.ts';
import { ensureDebian } from '../test/support/install.ts';
import { removeTemp } from '../test/support/temp.ts';
import { MEASURES, PARTS, type Part, type Results } from './cases.ts';
import { type RunningCluster, startCluster } from './cluster.ts';
import type { Cluster } from './forwarders.ts';
import { limits } from './limits.ts';
import { report } from './report.ts';

const cli = cac('npm run bench --');
cli.option('--json', 'print the figures as JSON');
cli.option('--rounds <rounds>', 'how often each is measured', { default: 5 });
cli.option('--only <part>', `measure only this part: ${PARTS.join(', ')}`);
cli.help();
const { options, args } = cli.parse();
if (options.help) process.exit();
const parts = PARTS.filter((part) => options.only === undefined || options.only === part);
const unknown = Object.keys(options).find(
  (name) => !['json', 'rounds', 'only', '--'].includes(name),
);
if (unknown !== undefined) refuse(`there is no --${unknown}`);
if (args.length > 0) refuse(`what is ${args[0]}?`);
if (parts.length === 0) refuse(`--only ${options.only}: it takes ${PARTS.join(', ')}`);
if (!Number.isInteger(options.rounds) || options.rounds < 1) refuse('--rounds takes a number');

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const results: Partial<Results> = {};
let cluster: RunningCluster | undefined;
try {
  say('building dist/syslogger, starting ZooKeeper and Kafka');
  await run([process.execPath, 'build.ts']);
  await ensureDebian(['rsyslogd', 'omkafka', 'omrelp']);
  cluster = await startCluster();
  for (const part of parts) await measure(part, cluster);
} finally {
  await cluster?.stop();
  removeTemp();
}
const kept = limits(results);
const [{ model }] = cpus();
const machine = {
  processors: cpus().length,
  model,
  memoryGB: Math.round(totalmem() / 1e9),
};
if (options.json) {
  console.log(
    JSON.stringify({ machine, rounds: options.rounds, ...results, limits: kept }, null, 2),
  );
} else {
  console.log(`\n${machine.processors} processors (${model}), ${machine.memoryGB} GB\n`);
  console.log(report(results, kept));
}
process.exit(kept.every(({ isKept }) => isKept) ? 0 : 1);

async function measure<P extends Part>(part: P, cluster: Cluster): Promise<void> {
  results[part] = await MEASURES[part](cluster, options.rounds, say);
}

function refuse(why: string): never {
  console.error(`${why}; see npm run bench -- --help`);
  process.exit(64);
}

/** On standard error, so that `--json` is alone on the other. */
function say(text: string): void {
  console.error(`… ${text}`);
}
