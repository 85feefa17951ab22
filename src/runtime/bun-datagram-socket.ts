import { setTimeout as sleep } from 'node:timers/promises';
import type { Libc } from './bun-libc.ts';
import type { Receive } from './datagrams.ts';

const F_DUPFD_CLOEXEC = 1030;
/** As much as Bun reads at once; the kernel takes no longer ones from who doesn't ask for it. */
const buffer = new Uint8Array(512 << 10);
/** So that others get their turn. */
const MOST_A_TURN = 256;
/** Until it is tried again to have the socket watched, in ms. */
const RETRY_DELAY = 100;

/**
 * A socket of the C library's. Bun watches a copy of its descriptor as if it were a stream: it
 * reads one datagram at a time, and so keeps them apart. The others that wait are read here.
 */
export class DatagramSocket {
  readonly #libc: Libc;
  readonly #descriptor: number;
  readonly #receive: Receive;
  #watched: Bun.Socket | undefined;
  #isPaused = false;
  #isClosing = false;
  #isClosed = false;

  /** @param descriptor one that doesn't block; it is closed with this */
  constructor(libc: Libc, descriptor: number, receive: Receive) {
    this.#libc = libc;
    this.#descriptor = descriptor;
    this.#receive = receive;
  }

  /** Has Bun say when something has come. */
  async watch(): Promise<void> {
    await Bun.connect(this.#watchOptions());
  }

  /** Bun takes an empty datagram for the stream's end, and closes its copy. */
  async #watchAgain(): Promise<void> {
    while (!this.#isClosed) {
      try {
        return await this.watch();
      } catch {
        // No descriptor may be left.
        await sleep(RETRY_DELAY);
      }
    }
  }

  pause(): void {
    this.#isPaused = true;
    this.#watched?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#watched?.resume();
  }

  /** Hands out what waits, at most `most` datagrams, whoever would rather have it wait. */
  close(most: number): void {
    if (this.#isClosed) return;
    this.#isClosing = true;
    this.#takeWaiting(most);
    this.#isClosed = true;
    this.#watched?.terminate();
    this.#libc.close(this.#descriptor);
  }

  // Bun documents `fd`, but has no type for a call with it.
  #watchOptions(): Bun.UnixSocketOptions {
    const fd = this.#libc.fcntl(this.#descriptor, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) throw new Error('no descriptor is left');
    const socket: Bun.SocketHandler<undefined, 'uint8array'> = {
      binaryType: 'uint8array',
      open: (socket) => {
        this.#watched = socket;
        if (this.#isClosed) socket.terminate();
        else if (this.#isPaused) socket.pause();
      },
      data: (_, bytes) => {
        this.#hand(bytes);
        this.#takeWaiting(MOST_A_TURN);
      },
      end: () => this.#hand(new Uint8Array(0)),
      close: () => {
        this.#watched = undefined;
        this.#takeWaiting(MOST_A_TURN);
        this.#watchAgain();
      },
    };
    const options: Omit<Bun.FdSocketOptions, 'socket'> & { socket: typeof socket } = { fd, socket };
    return options as unknown as Bun.UnixSocketOptions;
  }

  #hand(datagram: Uint8Array): void {
    if (!this.#isClosed) this.#receive(datagram);
  }

  #takeWaiting(most: number): void {
    const { ptr, recv } = this.#libc;
    for (let count = 0; count < most && !this.#isClosed; count++) {
      if (this.#isPaused && !this.#isClosing) return;
      const length = recv(this.#descriptor, ptr(buffer), buffer.length, 0);
      if (length < 0) return;
      this.#receive(buffer.slice(0, length));
    }
  }
}
