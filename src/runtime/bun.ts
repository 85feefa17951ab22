import process from 'node:process';
import { openNotifySocket } from './bun-notify.ts';
import { listen } from './bun-sockets.ts';
import { serveHttp } from './http.ts';
import { afterInput, exit, onSignal, writeStdout } from './process.ts';
import type { Runtime } from './runtime.ts';
import { connect, socketFactory } from './sockets.ts';

/** Bun, and what `bun build --compile` makes. */
export const bun: Runtime = {
  name: 'bun',
  version: process.versions.bun ?? '',
  listen,
  connect,
  socketFactory,
  serveHttp,
  openNotifySocket,
  onSignal,
  writeStdout,
  afterInput,
  exit,
};
