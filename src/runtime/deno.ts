import process from 'node:process';
import { receive } from './datagrams.ts';
import { serveHttp } from './http.ts';
import { afterInput, exit, onSignal } from './process.ts';
import type { Runtime } from './runtime.ts';
import { connect, listen, listenUnix, socketFactory } from './sockets.ts';
import { listenTls } from './tls.ts';

/** The little of Deno's namespace that is used here. */
declare const Deno: {
  readonly stdout: { write(bytes: Uint8Array): Promise<number> };
};

/** Deno. */
export const deno: Runtime = {
  name: 'deno',
  version: process.versions.deno ?? '',
  listen,
  listenTls: (address, identity, reception) => listenTls(listen, address, identity, reception),
  listenUnix,
  // Deno would not give the buffer's size to the kernel, but read into one of that size each time.
  receive: (address, _, handler) => receive(address, undefined, handler),
  connect,
  socketFactory,
  serveHttp,
  onSignal,
  writeStdout,
  afterInput,
  exit,
};

/** Deno's `process.stdout` writes synchronously: a slow reader would stop everything else. */
async function writeStdout(bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += await Deno.stdout.write(bytes.subarray(written));
  }
}
