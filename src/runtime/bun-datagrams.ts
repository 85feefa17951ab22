import { lookup } from 'node:dns/promises';
import { unlinkSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { type Address, formatAddress } from '../address.ts';
import { DatagramSocket } from './bun-datagram-socket.ts';
import {
  AF_UNIX,
  type Libc,
  libc,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  unixAddress,
} from './bun-libc.ts';
import { isAlive } from './bun-unix.ts';
import { mostWaiting, type Receive } from './datagrams.ts';
import type { DatagramListener, PausableListener } from './runtime.ts';
import { addressInUse, fileAt, removeStaleSocket } from './unix.ts';

const AF_INET = 2;
const AF_INET6 = 10;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const SHUT_RD = 0;
/** More than `net.unix.max_dgram_qlen` lets wait anywhere. */
const MOST_WAITING_UNIX = 1 << 16;
/** Where an address has its port, and what a number in a socket's options takes. */
const PORT_OFFSET = 2;
const INT_BYTES = 4;

/**
 * `Runtime.receive`. Bun's own UDP sockets read until nothing is left: whoever sends faster than
 * that is handled would keep the process from everything else, its signals too.
 */
export async function receive(
  address: Address,
  bufferBytes: number,
  receive: Receive,
): Promise<DatagramListener> {
  const c = await libc();
  const { address: host, family } = await lookup(address.host);
  const name = internetAddress(c, { host, port: address.port }, family);
  const descriptor = open(c, family === 6 ? AF_INET6 : AF_INET, name, formatAddress(address));
  const given = setBuffer(c, descriptor, bufferBytes);
  c.getsockname(descriptor, c.ptr(name), c.ptr(Uint32Array.of(name.length)));
  const socket = await watch(c, descriptor, receive);
  return {
    address: { host, port: new DataView(name.buffer).getUint16(PORT_OFFSET) },
    bufferBytes: given,
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: async () => socket.close(mostWaiting(given)),
  };
}

/** `Runtime.receiveUnix`. */
export async function receiveUnix(path: string, receive: Receive): Promise<PausableListener> {
  const c = await libc();
  const name = unixAddress(path);
  if (await isAlive(path)) throw addressInUse(path);
  await removeStaleSocket(path);
  const descriptor = open(c, AF_UNIX, name, path);
  const file = fileAt(path);
  const socket = await watch(c, descriptor, receive);
  return {
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    async close() {
      if (file !== undefined && fileAt(path) === file) unlinkSync(path);
      // From now on who sends gets an error, also who waits: what is there comes to an end.
      c.shutdown(descriptor, SHUT_RD);
      socket.close(MOST_WAITING_UNIX);
    },
  };
}

/** A socket that is bound. */
function open(c: Libc, family: number, name: Uint8Array, text: string): number {
  const descriptor = c.socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw systemError('socket', c.errno(), text);
  if (c.bind(descriptor, c.ptr(name), name.length) < 0) {
    const error = systemError('bind', c.errno(), text);
    c.close(descriptor);
    throw error;
  }
  return descriptor;
}

async function watch(c: Libc, descriptor: number, receive: Receive): Promise<DatagramSocket> {
  const socket = new DatagramSocket(c, descriptor, receive);
  try {
    await socket.watch();
    return socket;
  } catch (error) {
    c.close(descriptor);
    throw error;
  }
}

function systemError(call: string, errno: number, where: string): Error {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`${call} ${code} ${where}`), { code, syscall: call });
}

/** `sockaddr_in`, or `sockaddr_in6`. */
function internetAddress(c: Libc, { host, port }: Address, family: number): Uint8Array {
  const isIPv6 = family === 6;
  const code = isIPv6 ? AF_INET6 : AF_INET;
  const name = new Uint8Array(isIPv6 ? 28 : 16);
  const view = new DataView(name.buffer);
  view.setUint16(0, code, true);
  view.setUint16(PORT_OFFSET, port);
  const [digits, zone] = host.split('%').map(text) as [Uint8Array, Uint8Array?];
  // Else it would be the address of everything.
  if (c.inet_pton(code, c.ptr(digits), c.ptr(name, isIPv6 ? 8 : 4)) !== 1)
    throw new Error(`${host} is no address`);
  if (zone) view.setUint32(24, c.if_nametoindex(c.ptr(zone)), true);
  return name;
}

/** As C wants it. */
function text(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}

/** @returns what the kernel gives: more than `net.core.rmem_max` only to who may ask for it */
function setBuffer(c: Libc, descriptor: number, bytes: number): number {
  const value = Int32Array.of(bytes);
  for (const option of [SO_RCVBUFFORCE, SO_RCVBUF]) {
    if (c.setsockopt(descriptor, SOL_SOCKET, option, c.ptr(value), INT_BYTES) === 0) break;
  }
  c.getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, c.ptr(value), c.ptr(Int32Array.of(INT_BYTES)));
  // The kernel doubles what it is asked for.
  return (value[0] as number) / 2;
}
