import { run } from '../test/support/command.ts';
import { canRunKafka, ensureKafka } from '../test/support/install.ts';
import { startKafka } from '../test/support/kafka.ts';
import { sendMessages } from '../test/support/load.ts';
import { type Rsyslogd, startRsyslogd } from '../test/support/rsyslogd.ts';
import { startSyslogger } from '../test/support/syslogger.ts';
import { removeTemp } from '../test/support/temp.ts';
import { createTopic } from '../test/support/topics.ts';
import { sleep, waitFor } from '../test/support/wait.ts';
import { which } from '../test/support/which.ts';
import { startZooKeeper } from '../test/support/zookeeper.ts';
import { consume } from './consumer.ts';
import { followLines } from './lines.ts';
import { samples } from './samples.ts';
import { say, showDocument, showSample } from './show.ts';

const topic = 'syslog';
const interactive = Boolean(process.stdin.isTTY && process.stdout.isTTY);

/** How to stop what runs, in the order it was started. */
const running: (() => Promise<unknown>)[] = [];
const documents: string[] = [];
let shown = 0;
let complete = false;

const interrupted = new Promise<'interrupted'>((resolve) => {
  let first = 0;
  const stop = () => {
    // npm passes on a Ctrl-C that the terminal has sent us already.
    if (first && performance.now() - first > 1000) process.exit(130);
    first ||= performance.now();
    resolve('interrupted');
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
});

try {
  const end = await Promise.race([demo(), interrupted]);
  if (end === 'interrupted' && !complete) process.exitCode = 130;
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
console.log();
for (const stop of running.reverse()) await stop();
removeTemp();
process.exit();

async function demo(): Promise<void> {
  say('building dist/syslogger');
  await run([process.execPath, 'build.ts']);

  const kafka = await startCluster();
  const args = kafka ? ['--zookeeper', kafka.zookeeper, '--topic', topic] : ['--stdout'];
  const syslogger = await startSyslogger({ args, env: { NODE_NO_WARNINGS: undefined } });
  running.push(async () => {
    const { code, ms, ledger } = await syslogger.stop();
    say(
      `syslogger stopped in ${Math.round(ms)} ms with exit code ${code}: ${ledger.replace(/^\S+ info /, '')}`,
    );
  });
  say(`syslogger ${args.join(' ')} listens on 127.0.0.1:${syslogger.port}`);

  if (kafka) {
    const consumer = await consume(kafka.broker, topic, (json) => documents.push(json));
    running.push(consumer.stop);
    say(`${consumer.name} reads the topic ${topic} from ${kafka.broker}`);
  } else {
    followLines(syslogger.child.stdoutPath, (json) => documents.push(json));
  }

  const rsyslogd = await startSender(syslogger.port);
  for (const { title, message, direct } of samples) {
    const through = rsyslogd && !direct;
    showSample(title + (through ? ', by rsyslogd' : ''), message);
    await sendMessages(through ? rsyslogd.inputPort : syslogger.port, [message]);
    await waitFor('the document didn’t come', () => documents.length > shown);
    showNew();
  }
  complete = true;
  if (interactive) await stayUp(syslogger.port);
}

/** ZooKeeper and Kafka where there is Java to run them. */
async function startCluster(): Promise<{ zookeeper: string; broker: string } | undefined> {
  if (!canRunKafka()) {
    say('no Java or no Maven here, so no Kafka: showing --stdout instead');
    return undefined;
  }
  say('starting ZooKeeper and Kafka (the first time, Maven downloads them)');
  try {
    await ensureKafka();
  } catch (error) {
    say(`Maven couldn't: ${(error as Error).message}`);
    say('so there is no Kafka: showing --stdout instead');
    return undefined;
  }
  const zookeeper = await startZooKeeper();
  running.push(zookeeper.stop);
  say(`ZooKeeper serves ${zookeeper.address}`);
  const kafka = await startKafka({ zookeeper: zookeeper.address, chroot: '/demo' });
  running.push(kafka.stop);
  await createTopic(kafka.address, { topic });
  say(`Kafka serves ${kafka.address} and has registered below /demo`);
  return { zookeeper: `${zookeeper.address}/demo`, broker: kafka.address };
}

/** An rsyslogd that forwards to syslogger, where it is installed. */
async function startSender(port: number): Promise<Rsyslogd | undefined> {
  if (!which('rsyslogd')) {
    say('there is no rsyslogd: the samples go straight to syslogger');
    return undefined;
  }
  const rsyslogd = await startRsyslogd({ target: { port } });
  running.push(rsyslogd.stop);
  say(`rsyslogd takes messages on 127.0.0.1:${rsyslogd.inputPort} and forwards them`);
  return rsyslogd;
}

function showNew(): void {
  for (; shown < documents.length; shown++) showDocument(documents[shown]);
}

/** Shows whatever is sent, until Ctrl-C. */
async function stayUp(port: number): Promise<never> {
  console.log();
  say('send a message of your own; Ctrl-C ends the demo');
  console.log(`  logger -n 127.0.0.1 -P ${port} -T --octet-count hello`);
  for (;;) {
    await sleep(50);
    showNew();
  }
}
