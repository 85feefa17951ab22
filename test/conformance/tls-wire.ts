import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';

/** What goes back and forth beneath a TLS connection of this process, which it sees and holds up. */
export class TlsWire {
  readonly socket: TLSSocket;
  /** How many bytes came. */
  received = 0;
  readonly #raw: Socket;

  constructor(raw: Socket, options: ConnectionOptions) {
    this.#raw = raw;
    const stream = new Duplex({
      allowHalfOpen: true,
      read() {},
      write: (bytes, _, done) => raw.write(bytes, () => done()),
      final(done) {
        raw.end();
        done();
      },
    });
    stream.on('error', () => {});
    raw.on('data', (bytes: Buffer) => {
      this.received += bytes.length;
      stream.push(bytes);
    });
    raw.once('close', () => stream.destroy());
    this.socket = connect({ ...options, socket: stream, rejectUnauthorized: false });
  }

  /** Sends these instead of a record. */
  inject(bytes: Uint8Array): void {
    this.#raw.write(bytes);
  }
}
