import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Format, numberedLine } from './lines.ts';
import { sleep } from './wait.ts';

export type Framing = 'lf' | 'octet-counted';

export interface LoadOptions {
  port: number;
  host?: string;
  /** How many messages, numbered from `from` (default 0). */
  count: number;
  from?: number;
  /** Messages a second over all connections; as fast as they are read when absent. */
  rate?: number;
  /** Messages are dealt out to this many connections in turn (default 1). */
  connections?: number;
  format?: Format;
  framing?: Framing;
  /** Stops early, once the receiver has taken the few hundred messages that it is at. */
  signal?: AbortSignal;
}

export interface Load {
  /** How many were written. */
  sent: number;
  ms: number;
}

/**
 * Sends numbered syslog lines over TCP, and resolves when all of them are with the kernel. Waits
 * whenever the receiver reads slower than we write.
 */
export async function sendLoad(options: LoadOptions): Promise<Load> {
  const { count, from = 0, rate = Number.POSITIVE_INFINITY, signal } = options;
  const started = performance.now();
  const sockets = await Promise.all(
    Array.from({ length: options.connections ?? 1 }, () => open(options.port, options.host)),
  );
  let sent = 0;
  while (sent < count && !signal?.aborted) {
    const due = Math.ceil(((performance.now() - started) / 1000 + 0.001) * rate);
    const burst = Math.min(count, due, sent + 500 * sockets.length) - sent;
    await writeAll(sockets, from + sent, burst, options);
    sent += burst;
    if (sent >= due) await sleep(5);
  }
  await Promise.all(sockets.map(close));
  return { sent, ms: performance.now() - started };
}

/** Sends these messages, as they are, over one connection, and closes it. */
export async function sendMessages(
  port: number,
  messages: (string | Buffer)[],
  framing: Framing = 'lf',
): Promise<void> {
  const socket = await open(port);
  await write(socket, Buffer.concat(messages.map((message) => frame(message, framing))));
  await close(socket);
}

/** A message in its framing. */
export function frame(message: string | Buffer, framing: Framing): Buffer {
  const bytes = Buffer.from(message as string);
  return framing === 'lf'
    ? Buffer.concat([bytes, Buffer.from('\n')])
    : Buffer.concat([Buffer.from(`${bytes.length} `), bytes]);
}

/** Deals out `count` messages from number `first` on; a message's number decides its connection. */
async function writeAll(sockets: Socket[], first: number, count: number, options: LoadOptions) {
  const { format, framing = 'lf' } = options;
  const frames: Buffer[][] = sockets.map(() => []);
  for (let n = first; n < first + count; n++) {
    frames[n % sockets.length].push(frame(numberedLine(n, format), framing));
  }
  await Promise.all(sockets.map((socket, i) => write(socket, Buffer.concat(frames[i]))));
}

async function open(port: number, host = '127.0.0.1'): Promise<Socket> {
  const socket = connect(port, host);
  socket.setNoDelay(true);
  await once(socket, 'connect');
  return socket;
}

/** Writes and waits until the kernel has taken all of it. */
function write(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error?: Error | null) => reject(error ?? new Error('connection closed'));
    socket.once('error', failed);
    socket.once('close', failed);
    socket.write(bytes, (error) => {
      socket.off('error', failed);
      socket.off('close', failed);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Half-closes, after which the receiver reads to the end and closes its side. */
function close(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.end(resolve);
    socket.resume();
  });
}
