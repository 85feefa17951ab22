import { TLSSocket, type TLSSocketOptions } from 'node:tls';
import type { Connection, ConnectionHandler, HandshakeFailure } from './runtime.ts';
import { TlsTransport } from './tls-transport.ts';

/** What a record of TLS begins with where somebody greets. */
const HANDSHAKE = 22;

const GONE: HandshakeFailure = {
  kind: 'gone',
  message: 'closed the connection during the handshake',
};

/** Who decides about a connection once the handshake is over. */
export interface HandshakeHandler {
  /** @returns who is told of what comes, or why nobody will be */
  secured(connection: TlsConnection, socket: TLSSocket): ConnectionHandler | HandshakeFailure;
  /** It is gone. */
  failed(failure: HandshakeFailure): void;
}

/** Our side of TLS, as a server, over a plain connection. */
export class TlsConnection implements Connection {
  readonly peer: string;
  names?: readonly string[];
  /** What the plain connection tells. */
  readonly below: Required<ConnectionHandler>;
  readonly #raw: Connection;
  readonly #transport: TlsTransport;
  readonly #socket: TLSSocket;
  readonly #handshake: HandshakeHandler;
  #handler: ConnectionHandler | undefined;
  #failure: HandshakeFailure | undefined;
  #error: Error | undefined;
  /** How many writes are not yet with the plain connection. */
  #writing = 0;
  /** Our last words of the handshake are on their way, which in TLS 1.2 come after all else. */
  #hasGreeted = false;
  /** A write was refused, and nobody has been told yet that it drained. */
  #isSlow = false;
  #isEnding = false;
  #isDestroyed = false;
  /** All that the peer has sent is handed out. */
  #isRead = false;
  #isRawClosed = false;
  #isClosed = false;

  constructor(raw: Connection, options: TLSSocketOptions, handshake: HandshakeHandler) {
    this.peer = raw.peer;
    this.#raw = raw;
    this.#handshake = handshake;
    this.#transport = new TlsTransport(raw);
    this.below = {
      data: (bytes) => this.#received(bytes),
      end: () => this.#receivedEnd(),
      closed: (error) => this.#rawClosed(error),
      drained: () => this.#transport.drained(),
    };
    this.#socket = new TLSSocket(this.#transport, { ...options, isServer: true });
    this.#socket.once('secure', () => this.#secured());
    for (const event of ['error', '_tlsError']) {
      this.#socket.on(event, (error: Error) => this.#broken(error));
    }
    this.#socket.once('close', () => this.#read());
  }

  pause(): void {
    this.#socket.pause();
    this.#transport.setPaused(true);
  }

  resume(): void {
    if (this.#isClosed) return;
    this.#transport.setPaused(false);
    this.#socket.resume();
  }

  release(bytes: Uint8Array): void {
    this.#raw.release(bytes);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isEnding || this.#isDestroyed || this.#isClosed) return true;
    this.#transport.speak();
    this.#writing++;
    this.#socket.write(bytes, () => {
      this.#writing--;
      if (this.#isEnding) this.#finish();
    });
    this.#isSlow = this.#mustWait();
    return !this.#isSlow;
  }

  end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#finish();
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#raw.destroy();
  }

  /** Gives up one that is not yet secured. */
  fail(failure: HandshakeFailure): void {
    if (this.#handler) return;
    this.#failure ??= failure;
    this.#raw.destroy();
  }

  #secured(): void {
    if (this.#failure) return;
    if (this.#socket.getProtocol() === 'TLSv1.3') this.#transport.hold();
    const result = this.#handshake.secured(this, this.#socket);
    if ('kind' in result) this.fail(result);
    else this.#serve(result);
    setImmediate(() => {
      this.#hasGreeted = true;
      if (this.#isEnding) this.#finish();
    });
  }

  #serve(handler: ConnectionHandler): void {
    this.#handler = handler;
    this.#socket.on('data', (bytes) => {
      if (!this.#isDestroyed) handler.data(bytes);
    });
    for (const stream of [this.#socket, this.#transport]) {
      stream.on('drain', () => this.#drained(handler));
    }
    this.#socket.once('end', () => this.#read());
  }

  #drained(handler: ConnectionHandler): void {
    if (!this.#isSlow || this.#mustWait()) return;
    this.#isSlow = false;
    if (!this.#isDestroyed && !this.#isEnding) handler.drained?.();
  }

  /** Bun's socket takes all that comes, and leaves it to the transport to keep it. */
  #mustWait(): boolean {
    return this.#socket.writableNeedDrain || this.#transport.writableNeedDrain;
  }

  #received(bytes: Uint8Array): void {
    if (this.#failure || this.#isDestroyed) return;
    const isPlain = this.#transport.isNew && bytes[0] !== HANDSHAKE;
    if (isPlain) this.fail({ kind: 'plain', message: 'does not speak TLS' });
    else this.#transport.received(bytes);
  }

  #receivedEnd(): void {
    if (this.#handler) this.#transport.receivedEnd();
    else this.fail(GONE);
  }

  #rawClosed(error?: Error): void {
    this.#isRawClosed = true;
    this.#error ??= error;
    if (this.#handler) {
      this.#transport.receivedEnd();
      this.#close();
    } else {
      this.#socket.destroy();
      this.#handshake.failed(this.#failure ?? GONE);
    }
  }

  #broken(error: Error): void {
    if (!this.#handler) this.fail({ kind: 'other', message: textOf(error) });
    if (!this.#handler || this.#isRead) return;
    // OpenSSL has this to say about an end without a farewell.
    const isAnswer = this.#transport.isFinished && textOf(error).includes('alert');
    if (!isAnswer) this.#error ??= error;
    this.#read();
    this.#raw.destroy();
  }

  #read(): void {
    if (this.#isRead || !this.#handler) return;
    this.#isRead = true;
    if (!this.#isDestroyed && !this.#error) this.#handler.end();
    this.#close();
  }

  #close(): void {
    if (this.#isClosed || !this.#isRawClosed || !(this.#isRead || this.#isDestroyed)) return;
    this.#isClosed = true;
    this.#socket.destroy();
    this.#handler?.closed(this.#isDestroyed ? undefined : this.#error);
  }

  /** Ends once all is on its way. */
  #finish(): void {
    if (this.#hasGreeted && this.#writing === 0) this.#transport.finish();
  }
}

/** OpenSSL's texts have numbers and places in its source in them; its codes say it better. */
function textOf({ message, code }: Error & { code?: string }): string {
  if (!code || !message.includes('error:')) return message;
  return code.replace('ERR_SSL_', '').replaceAll('_', ' ').toLowerCase();
}
