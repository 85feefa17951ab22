import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { dieWithUs } from '../test/support/process.ts';
import type { Feed } from './feeder.ts';

export type { Feed } from './feeder.ts';

/** A feeder whose connections are open. */
export interface ReadyFeeder {
  /** Begins to send. */
  go(): void;
  /** Its connections are closed, by the forwarder too; fails if it did not come to that. */
  readonly ended: Promise<void>;
}

/** Starts a feeder process, and waits until its connections are open. */
export async function prepareFeeder(feed: Feed): Promise<ReadyFeeder> {
  const [program, ...args] = [
    ...dieWithUs,
    process.execPath,
    join(import.meta.dirname, 'feeder.ts'),
    JSON.stringify(feed),
  ];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value } = await said.next();
  if (value !== 'ready') throw new Error(`the feeder did not say ready, but ${value}`);
  const ended = exited.then(([code]) => {
    if (code !== 0) throw new Error(`the feeder ended with exit code ${code}`);
  });
  ended.catch(() => {});
  return {
    go: () => child.stdin.write('go\n'),
    ended,
  };
}
