import {
  type AddressInfo,
  connect as connectTcp,
  createServer,
  isIP,
  type ListenOptions,
  type Server,
  type Socket,
} from 'node:net';
import { type ConnectionOptions, connect as connectTls, TLSSocket } from 'node:tls';
import type { ISocketFactoryArgs } from 'kafkajs';
import type { Address } from '../address.ts';
import type {
  Connection,
  ConnectionHandler,
  Listener,
  OutgoingHandler,
  PortListener,
  Reception,
  TlsOptions,
} from './runtime.ts';
import { checkPath, rememberSuccessor, removeStaleSocket } from './unix.ts';

/** Idle time, in ms, after which the kernel starts asking whether the peer is still there. */
export const KEEP_ALIVE_DELAY = 60_000;

/** The longest delay that a timer takes, in ms. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** Listens with `node:net`. The contract is that of `Runtime.listen`. */
export async function listen(address: Address, reception: Reception): Promise<PortListener> {
  const { server, close } = serverFor(reception);
  return { address: await bind(server, address), close };
}

/** `Runtime.listenUnix` with `node:net`. */
export async function listenUnix(path: string, reception: Reception): Promise<Listener> {
  checkPath(path);
  await removeStaleSocket(path);
  const { server, close } = serverFor(reception, path);
  await started(server, { path });
  const keepSuccessor = rememberSuccessor(path);
  return { close: () => close(keepSuccessor) };
}

/** @param path where it will be, unless that is a port */
function serverFor(reception: Reception, path?: string) {
  let accepted = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted++;
    const peer = path ? `unix:${path}` : nameOf(socket.remoteAddress, socket.remotePort);
    if (reception.admit(peer)) serve(socket, peer, reception);
    else drop(socket.on('error', () => {}));
  });
  return { server, close };

  async function close(around = (stop: () => void) => stop()): Promise<void> {
    await acceptWaiting(() => accepted);
    // The callback of close() would wait for the last connection's end, not for the port.
    around(() => server.close());
    await eventLoopTurn();
  }
}

/** Has a server listen at a port. @returns where it really does */
export async function bind(server: Server, { host, port }: Address): Promise<Address> {
  await started(server, { host, port });
  const bound = server.address() as AddressInfo;
  return { host: bound.address, port: bound.port };
}

function started(server: Server, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      // A failed accept (no file descriptor left) concerns that one peer only.
      server.on('error', () => {});
      resolve();
    });
  });
}

/**
 * Lets in the peers that wait in the kernel's backlog: closing the listener
 * would reset them, with what they have sent. A runtime may accept one a turn.
 */
export async function acceptWaiting(accepted: () => number): Promise<void> {
  let before: number;
  await eventLoopTurn();
  do {
    before = accepted();
    await eventLoopTurn();
  } while (accepted() > before);
}

function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A peer's name for the logs, as `address:port`. */
export function nameOf(address = 'unknown', port = 0): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Drops a connection that is open, in a reset where that can be. */
function drop(socket: Socket): void {
  // Node throws for anything but TCP.
  if (socket.remoteAddress === undefined || socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

function serve(socket: Socket, peer: string, reception: Reception): void {
  // None of the runtimes counts a socket that isn't reading as a reason to live on.
  const alive = setInterval(() => {}, LONGEST_DELAY);
  const connection = new SocketConnection(socket, peer);
  connection.isOpen = true;
  attach(socket, connection, reception.accept(connection));
  socket.once('close', () => clearInterval(alive));
}

/** The runtimes differ in what they tell of a socket that never opened, or that we destroyed. */
function attach(socket: Socket, connection: SocketConnection, handler: ConnectionHandler): void {
  let error: Error | undefined;
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_DELAY);
  socket.on('data', (bytes) => {
    if (!connection.isDestroyed) handler.data(bytes);
  });
  socket.on('end', () => {
    if (connection.isOpen) handler.end();
  });
  socket.on('drain', () => {
    if (connection.isOpen) handler.drained?.();
  });
  socket.on('error', (cause) => {
    if (!connection.isDestroyed) error ??= cause;
  });
  socket.once('close', () => handler.closed(error));
}

/**
 * `Runtime.connect`. A server that wants a certificate, and gets none or a bad one, says so after
 * `opened` in TLS 1.3. What `destroy()` drops over TLS ends without TLS's farewell, not in a reset.
 */
export function connect(
  { host, port }: Address,
  tls: TlsOptions | undefined,
  handler: OutgoingHandler,
): Connection {
  const { ca, certificate: cert, key } = tls ?? {};
  const secured = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  // Whatever the environment says of certificates.
  const strict = { minVersion: 'TLSv1.2', rejectUnauthorized: true } as const;
  const ssl = tls && { ...secured, ...strict };
  const onConnect = () => {
    connection.isOpen = true;
    handler.opened();
  };
  const socket = openSocket({ host, port, ssl, onConnect });
  const connection = new SocketConnection(socket, nameOf(host, port));
  attach(socket, connection, handler);
  return connection;
}

class SocketConnection implements Connection {
  readonly peer: string;
  isOpen = false;
  isDestroyed = false;
  readonly #socket: Socket;

  constructor(socket: Socket, peer: string) {
    this.peer = peer;
    this.#socket = socket;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** These runtimes collect in time. */
  release(): void {}

  write(bytes: Uint8Array): boolean {
    // A write after end() would be an error that breaks the reading half too.
    return this.#socket.writable ? this.#socket.write(bytes) : true;
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    const wasOpen = this.isOpen;
    this.isOpen = false;
    this.isDestroyed = true;
    // With a reset one that is opening would be opened first.
    if (wasOpen) drop(this.#socket);
    else this.#socket.destroy();
  }
}

/** `Runtime.socketFactory`: kafkajs's own default, less Nagle's delay. */
export function socketFactory(args: ISocketFactoryArgs): Socket {
  const socket = openSocket(args);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_DELAY);
  return socket;
}

/** @param ssl what `tls.connect` takes, or nothing for a plain connection */
function openSocket(options: {
  host: string;
  port: number;
  ssl?: ConnectionOptions | undefined;
  onConnect: () => void;
}): Socket {
  const { host, port, ssl, onConnect } = options;
  const name = isIP(host) ? {} : { servername: host };
  return ssl
    ? connectTls({ host, port, ...name, ...ssl }, onConnect)
    : connectTcp({ host, port }, onConnect);
}
