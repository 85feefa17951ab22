import { lookup } from 'node:dns/promises';
import type { Address } from '../address.ts';
import type { Connection, ConnectionHandler, Listener } from './runtime.ts';
import { acceptWaiting, KEEP_ALIVE_DELAY, nameOf } from './sockets.ts';

type Socket = Bun.Socket<BunConnection>;

/**
 * Listens with `Bun.listen`, whose pause() stops the reading at once: a paused
 * `node:net` socket still takes another chunk, of up to 512 KB, which makes half
 * a gigabyte with a thousand connections. The contract is that of `Runtime.listen`.
 */
export async function listen(
  { host, port }: Address,
  accept: (connection: Connection) => ConnectionHandler,
): Promise<Listener> {
  let accepted = 0;
  const { address } = await lookup(host);
  const listener = Bun.listen<BunConnection>({
    hostname: address,
    port,
    exclusive: true,
    allowHalfOpen: true,
    socket: {
      binaryType: 'uint8array',
      open(socket) {
        accepted++;
        socket.setNoDelay(true);
        socket.setKeepAlive(true, KEEP_ALIVE_DELAY);
        socket.data = new BunConnection(socket);
        socket.data.handler = accept(socket.data);
      },
      data: (socket, bytes) => socket.data.handler.data(bytes),
      drain: (socket) => socket.data.flush(),
      end: (socket) => socket.data.peerEnded(),
      // Bun may close within our own call of end() or destroy(); the handler learns of it afterwards.
      close: (socket, error) => queueMicrotask(() => socket.data.closed(error)),
    },
  });
  return {
    address: { host: address, port: listener.port },
    async close() {
      await acceptWaiting(() => accepted);
      listener.stop();
    },
  };
}

class BunConnection implements Connection {
  readonly peer: string;
  handler!: ConnectionHandler;
  readonly #socket: Socket;
  /** What the kernel hasn't taken yet. */
  readonly #queue: Uint8Array[] = [];
  #ending = false;
  #peerEnded = false;
  #destroyed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.peer = nameOf(socket.remoteAddress, socket.remotePort);
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
    return this.#send();
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
    if (this.#queue.length === 0 || !this.#send()) return;
    if (this.#ending) this.#socket.shutdown();
    else this.handler.drained?.();
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
