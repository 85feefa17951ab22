import process from 'node:process';
import { listen } from './bun-sockets.ts';
import { afterInput, exit, onSignal, writeStdout } from './process.ts';
import type { Runtime } from './runtime.ts';
import { socketFactory } from './sockets.ts';

/** Bun, and what `bun build --compile` makes. */
export const bun: Runtime = {
  name: 'bun',
  version: process.versions.bun ?? '',
  listen,
  socketFactory,
  onSignal,
  writeStdout,
  afterInput,
  exit,
};
