import { randomUUID } from 'node:crypto';
import { lstatSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';

/** What the kernel has room for. Some runtimes would cut off the rest. */
const MOST_PATH_BYTES = 107;

/** @throws {Error} if there can be no socket of this path; Node would say EACCES where there is no folder */
export function checkPath(path: string): void {
  if (Buffer.byteLength(path) > MOST_PATH_BYTES)
    throw new Error(`${path} is too long for a socket: more than ${MOST_PATH_BYTES} bytes`);
  statSync(dirname(path));
}

/**
 * Removes the socket's file that somebody who is gone has left at this path, so that it can be bound.
 * Under Bun it takes datagram sockets for gone: ask `isAlive` first.
 * @throws {Error} EADDRINUSE if somebody lives there, or it is another kind of file
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return;
  const code = stat.isSocket() ? await failureToConnect(path) : 'ENOTSOCK';
  if (code !== 'ECONNREFUSED') throw addressInUse(path);
  unlinkSync(path);
}

/** The system's error for a path that is taken. */
export function addressInUse(path: string): Error {
  return Object.assign(new Error(`bind EADDRINUSE ${path}`), { code: 'EADDRINUSE' });
}

/**
 * Remembers which file is at the path of a listener that will remove what is there, whatever it is.
 * @returns closes it, with another file put aside meanwhile: that is a successor's
 */
export function rememberSuccessor(path: string): (close: () => void) => void {
  const file = fileAt(path);
  return (close) => {
    const now = fileAt(path);
    if (now === undefined || now === file) return close();
    const aside = `${path}.${randomUUID()}`;
    renameSync(path, aside);
    close();
    renameSync(aside, path);
  };
}

/** Which file a path leads to, if any. */
export function fileAt(path: string): string | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat && `${stat.dev}:${stat.ino}`;
}

function failureToConnect(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error) => resolve((error as { code?: string }).code));
  });
}
