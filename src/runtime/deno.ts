import process from 'node:process';
import { serveHttp } from './http.ts';
import { afterInput, exit, onSignal } from './process.ts';
import type { Runtime } from './runtime.ts';
import { connect, listen, socketFactory } from './sockets.ts';

/** The little of Deno's namespace that is used here. */
declare const Deno: {
  readonly stdout: { write(bytes: Uint8Array): Promise<number> };
};

/** Deno. */
export const deno: Runtime = {
  name: 'deno',
  version: process.versions.deno ?? '',
  listen,
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
