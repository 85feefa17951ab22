import process from 'node:process';
import { receive, receiveUnix } from './bun-datagrams.ts';
import { openNotifySocket } from './bun-notify.ts';
import { listen, listenUnix } from './bun-sockets.ts';
import { serveHttp } from './http.ts';
import { afterInput, exit, onSignal, writeStdout } from './process.ts';
import type { Runtime } from './runtime.ts';
import { connect, socketFactory } from './sockets.ts';
import { listenTls } from './tls.ts';

/** Bun, and what `bun build --compile` makes. */
export const bun: Runtime = {
  name: 'bun',
  version: process.versions.bun ?? '',
  listen,
  listenTls: (address, identity, reception) => listenTls(listen, address, identity, reception),
  listenUnix,
  receive,
  receiveUnix,
  connect,
  socketFactory,
  serveHttp,
  openNotifySocket,
  onSignal,
  writeStdout,
  afterInput,
  exit,
};
