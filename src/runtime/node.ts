import process from 'node:process';
import { serveHttp } from './http.ts';
import { afterInput, exit, onSignal, writeStdout } from './process.ts';
import type { Runtime } from './runtime.ts';
import { connect, listen, socketFactory } from './sockets.ts';

/** Node.js. */
export const node: Runtime = {
  name: 'node',
  version: process.versions.node,
  listen,
  connect,
  socketFactory,
  serveHttp,
  onSignal,
  writeStdout,
  afterInput,
  exit,
};
