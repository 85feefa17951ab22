import process from 'node:process';
import { receive } from './datagrams.ts';
import { serveHttp } from './http.ts';
import { afterInput, exit, onSignal, writeStdout } from './process.ts';
import type { Runtime } from './runtime.ts';
import { connect, listen, listenUnix, socketFactory } from './sockets.ts';
import { listenTls } from './tls.ts';

/** Node.js. */
export const node: Runtime = {
  name: 'node',
  version: process.versions.node,
  listen,
  listenTls: (address, identity, reception) => listenTls(listen, address, identity, reception),
  listenUnix,
  receive,
  connect,
  socketFactory,
  serveHttp,
  onSignal,
  writeStdout,
  afterInput,
  exit,
};
