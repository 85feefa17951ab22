import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, waitForPort } from '../test/support/ports.ts';
import { start } from '../test/support/process.ts';
import { tempDir } from '../test/support/temp.ts';
import { which } from '../test/support/which.ts';

/** How many messages may be on their way before rsyslog waits for an answer. */
const WINDOW = 1024;

/** An rsyslogd that takes lines over TCP and sends them on over RELP. */
export interface Relay {
  /** Where it takes them. */
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts rsyslogd with omrelp before a port, set up to be as fast as it goes. */
export async function startRelay(target: number): Promise<Relay> {
  const dir = tempDir('relay');
  const workDirectory = join(dir, 'work');
  mkdirSync(workDirectory);
  const port = await freePort();
  const config = join(dir, 'rsyslog.conf');
  writeFileSync(
    config,
    `
global(workDirectory="${workDirectory}")
module(load="imptcp")
module(load="omrelp")
main_queue(queue.type="FixedArray" queue.size="500000" queue.dequeueBatchSize="1000"
           queue.workerThreads="1")
ruleset(name="forward") {
  action(type="omrelp" target="127.0.0.1" port="${target}" windowSize="${WINDOW}"
         template="RSYSLOG_ForwardFormat" action.resumeRetryCount="-1" action.resumeInterval="1")
}
input(type="imptcp" address="127.0.0.1" port="${port}" ruleset="forward")
`,
  );
  const program = which('rsyslogd') ?? 'rsyslogd';
  const child = start('relay', [program, '-n', '-f', config, '-i', join(dir, 'pid')]);
  const ended = child.exited.then((exit) => {
    throw new Error(`the relay ended ${JSON.stringify(exit)}: ${child.stderr()}`);
  });
  ended.catch(() => {});
  await Promise.race([waitForPort(port), ended]);
  return { port, stop: async () => void (await child.stop('SIGTERM', 20_000)) };
}
