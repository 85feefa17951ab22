import { connect, type NetConnectOpts, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { isPattern, pattern } from './pattern.ts';
import { TlsWire } from './tls-wire.ts';

const HOST = '127.0.0.1';

export interface PeerOptions {
  /** Whether it reads nothing. */
  paused?: boolean;
  /** How it speaks TLS, if it does. */
  tls?: ConnectionOptions | undefined;
}

/** A client of the fixture. */
export class Peer {
  readonly #raw: Socket;
  readonly #chunks: Uint8Array[] = [];
  #socket: Socket;
  #sent = 0;
  ended = false;
  closed = false;
  /** What is beneath it, if it speaks TLS. */
  wire: TlsWire | undefined;

  private constructor(raw: Socket) {
    this.#raw = raw;
    this.#socket = raw;
    raw.on('end', () => {
      this.ended = true;
    });
    raw.on('close', () => {
      this.closed = true;
    });
    raw.on('error', () => {});
  }

  /** Connects to a port here, or a path. */
  static async connect(where: number | string, { paused, tls }: PeerOptions = {}): Promise<Peer> {
    const to = typeof where === 'number' ? { host: HOST, port: where } : { path: where };
    const raw = connect({ ...to, allowHalfOpen: true } as NetConnectOpts);
    const peer = new Peer(raw);
    await opened(raw, 'connect');
    if (tls) await peer.secure(tls);
    else peer.#listen();
    if (paused) peer.pause();
    return peer;
  }

  /** Speaks TLS from now on. */
  async secure(options: ConnectionOptions): Promise<void> {
    this.wire = new TlsWire(this.#raw, options);
    this.#raw.resume();
    this.#socket = this.wire.socket;
    this.#socket.on('error', () => {});
    await opened(this.#socket, 'secureConnect');
    this.#listen();
  }

  #listen(): void {
    this.#socket.on('data', (bytes) => this.#chunks.push(bytes));
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
    return this.#socket.writableLength === 0 && this.#raw.writableLength === 0;
  }

  get received(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** Whether the bytes received are the pattern. */
  get intact(): boolean {
    return isPattern(this.#chunks);
  }

  pause(): void {
    this.#raw.pause();
  }

  resume(): void {
    this.#raw.resume();
  }

  end(): void {
    this.#socket.end();
  }

  /** Ends without TLS's farewell. */
  cut(): void {
    this.#raw.end();
  }

  reset(): void {
    this.#raw.resetAndDestroy();
  }

  /** Closes at once; what it hasn't read is a reset. */
  drop(): void {
    this.#raw.destroy();
  }
}

function opened(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
  });
}
