import process from 'node:process';
import { afterInput, exit, onSignal, writeStdout } from './process.ts';
import type { Runtime } from './runtime.ts';
import { listen, socketFactory } from './sockets.ts';

/** Node.js. */
export const node: Runtime = {
  name: 'node',
  version: process.versions.node,
  listen,
  socketFactory,
  onSignal,
  writeStdout,
  afterInput,
  exit,
};
