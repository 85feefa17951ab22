import { connect, type Socket } from 'node:net';
import { isPattern, pattern } from './pattern.ts';

const HOST = '127.0.0.1';

/** A client of the fixture. */
export class Peer {
  readonly #socket: Socket;
  readonly #chunks: Uint8Array[] = [];
  #sent = 0;
  ended = false;
  closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => this.#chunks.push(bytes));
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('error', () => {});
  }

  /** Connects; it reads nothing as long as it is paused. */
  static async connect(port: number, { paused = false } = {}): Promise<Peer> {
    const socket = connect({ host: HOST, port, allowHalfOpen: true });
    const peer = new Peer(socket);
    if (paused) socket.pause();
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return peer;
  }

  /** Sends the pattern's next bytes. */
  send(bytes: number): void {
    this.#socket.write(pattern(this.#sent, bytes));
    this.#sent += bytes;
  }

  /** Sends a text instead. */
  say(text: string): void {
    this.#socket.write(text);
  }

  /** What has come, as a text. */
  get heard(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  /** Whether the kernel has taken all that was sent. */
  get flushed(): boolean {
    return this.#socket.writableLength === 0;
  }

  get received(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** Whether the bytes received are the pattern. */
  get intact(): boolean {
    return isPattern(this.#chunks);
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }
}
