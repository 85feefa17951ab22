import { lookup } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import type { Address } from '../address.ts';
import { isAlive } from './bun-unix.ts';
import type {
  Connection,
  ConnectionHandler,
  Listener,
  PortListener,
  Reception,
} from './runtime.ts';
import { acceptWaiting, KEEP_ALIVE_DELAY, nameOf } from './sockets.ts';
import { addressInUse, checkPath, rememberSuccessor, removeStaleSocket } from './unix.ts';

type Socket = Bun.Socket<BunConnection>;

/**
 * Listens with `Bun.listen`, whose pause() stops the reading at once: a paused
 * `node:net` socket still takes another chunk, of up to 512 KB, which makes half
 * a gigabyte with a thousand connections. The contract is that of `Runtime.listen`.
 */
export async function listen({ host, port }: Address, reception: Reception): Promise<PortListener> {
  const { address } = await lookup(host);
  const { socket, waitingAccepted } = handlerFor(reception, nameOfPeer);
  const options = { hostname: address, port, exclusive: true, allowHalfOpen: true };
  const listener = Bun.listen<BunConnection>({ ...options, socket });
  return {
    address: { host: address, port: listener.port },
    async close() {
      await waitingAccepted();
      listener.stop();
    },
  };
}

/** The same at a unix socket. The contract is that of `Runtime.listenUnix`. */
export async function listenUnix(path: string, reception: Reception): Promise<Listener> {
  checkPath(path);
  if (existsSync(path) && (await isAlive(path))) throw addressInUse(path);
  await removeStaleSocket(path);
  const { socket, waitingAccepted } = handlerFor(reception, () => `unix:${path}`);
  const listener = Bun.listen<BunConnection>({ unix: path, allowHalfOpen: true, socket });
  const keepSuccessor = rememberSuccessor(path);
  return {
    async close() {
      await waitingAccepted();
      keepSuccessor(() => listener.stop());
    },
  };
}

function nameOfPeer({ remoteAddress, remotePort }: Socket): string {
  return nameOf(remoteAddress, remotePort);
}

function handlerFor(reception: Reception, peerOf: (socket: Socket) => string) {
  let accepted = 0;
  const socket: Bun.SocketHandler<BunConnection> = {
    binaryType: 'uint8array',
    open(socket) {
      accepted++;
      socket.setNoDelay(true);
      socket.setKeepAlive(true, KEEP_ALIVE_DELAY);
      const connection = new BunConnection(socket, peerOf(socket));
      socket.data = connection;
      if (reception.admit(connection.peer)) connection.handler = reception.accept(connection);
      else connection.destroy();
    },
    data: (socket, bytes) => socket.data.handler.data(bytes),
    drain: (socket) => socket.data.flush(),
    end: (socket) => socket.data.peerEnded(),
    // Bun may close within our own call of end() or destroy(); the handler learns of it afterwards.
    close: (socket, error) => queueMicrotask(() => socket.data.closed(error)),
  };
  return { socket, waitingAccepted: () => acceptWaiting(() => accepted) };
}

/** Whom nobody serves. */
const DEAF: ConnectionHandler = { data() {}, end() {}, closed() {} };

class BunConnection implements Connection {
  readonly peer: string;
  handler = DEAF;
  readonly #socket: Socket;
  /** What the kernel hasn't taken yet. */
  readonly #queue: Uint8Array[] = [];
  /** A write was refused, and nobody was told yet that it drained. */
  #owesDrained = false;
  #ending = false;
  #peerEnded = false;
  #destroyed = false;

  constructor(socket: Socket, peer: string) {
    this.#socket = socket;
    this.peer = peer;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Under load chunks come faster than Bun's collector takes them: it kept a hundred megabytes. */
  release({ buffer, byteLength }: Uint8Array): void {
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ending) return true;
    this.#queue.push(bytes);
    const isSent = this.#send();
    if (!isSent) this.#owesDrained = true;
    return isSent;
  }

  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    if (this.#queue.length === 0) this.#socket.shutdown();
  }

  destroy(): void {
    this.#destroyed = true;
    this.#socket.terminate();
  }

  /** The kernel takes bytes again. */
  flush(): void {
    const hadToWait = this.#queue.length > 0;
    if (!this.#send()) return;
    if (this.#ending) {
      if (hadToWait) this.#socket.shutdown();
      return;
    }
    // A write may have emptied the queue meanwhile.
    const isOwed = this.#owesDrained;
    this.#owesDrained = false;
    if (isOwed) this.handler.drained?.();
  }

  peerEnded(): void {
    this.#peerEnded = true;
    this.handler.end();
  }

  closed(error?: Error): void {
    this.#ending = true;
    this.#queue.length = 0;
    // After our own FIN Bun tells of the peer's by the close only.
    if (!error && !this.#peerEnded && !this.#destroyed) this.handler.end();
    this.handler.closed(error);
  }

  /** Gives the kernel what it takes. @returns whether that was all */
  #send(): boolean {
    for (let bytes = this.#queue[0]; bytes; bytes = this.#queue[0]) {
      const sent = this.#socket.write(bytes);
      if (sent < bytes.length) {
        this.#queue[0] = bytes.subarray(Math.max(sent, 0));
        return false;
      }
      this.#queue.shift();
    }
    return true;
  }
}
