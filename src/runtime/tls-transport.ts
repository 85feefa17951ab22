import { Duplex } from 'node:stream';
import type { Connection } from './runtime.ts';

/**
 * A plain connection as a stream for TLS to be spoken over. It decides what is really sent:
 *
 * - At our end only FIN, and no farewell of TLS before it. A sender that never reads, as rsyslog,
 *   looks whether FIN is what has come next; it would see the farewell instead, and send on for ever.
 * - For the same reason nothing that TLS 1.3 says of its own after the handshake (it hands out
 *   tickets) until we have something to say: who expects no answer doesn't read.
 */
export class TlsTransport extends Duplex {
  /** Whether nothing has come yet. */
  isNew = true;
  /** FIN is on its way. */
  isFinished = false;
  readonly #raw: Connection;
  #held: Uint8Array[] | undefined;
  /** Called when the peer takes more. */
  #onDrained: (() => void) | undefined;
  #isPaused = false;
  #isFull = false;
  #isEnded = false;
  #isFinishing = false;

  constructor(raw: Connection) {
    super({ allowHalfOpen: true });
    this.#raw = raw;
    this.on('error', () => {});
  }

  /** The connection has brought these bytes. */
  received(bytes: Uint8Array): void {
    this.isNew = false;
    if (this.#isEnded) return;
    this.#isFull = !this.push(bytes);
    // TLS has taken them already.
    if (this.readableLength === 0) this.#raw.release(bytes);
    this.#flow();
  }

  /** The connection brings no more. */
  receivedEnd(): void {
    if (!this.#isEnded) this.push(null);
    this.#isEnded = true;
  }

  /** Whether it reads from the connection. */
  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#flow();
  }

  /** The connection takes more. */
  drained(): void {
    const onDrained = this.#onDrained;
    this.#onDrained = undefined;
    onDrained?.();
  }

  /** Sends nothing until {@link speak}. */
  hold(): void {
    this.#held = [];
  }

  /** Sends what was held, and all that comes. */
  speak(): void {
    for (const bytes of this.#held ?? []) this.#raw.write(bytes);
    this.#held = undefined;
  }

  /** Sends FIN after what was written before, and nothing more. */
  finish(): void {
    this.#isFinishing = true;
    this.#finishOnceEmpty();
  }

  override _read(): void {
    this.#isFull = false;
    this.#flow();
  }

  override _write(bytes: Uint8Array, _: string, done: () => void): void {
    if (this.#held) this.#held.push(bytes);
    const isSlow = !this.isFinished && !this.#held && !this.#raw.write(bytes);
    const complete = () => {
      done();
      this.#finishOnceEmpty();
    };
    if (isSlow) this.#onDrained = complete;
    else complete();
  }

  #finishOnceEmpty(): void {
    if (!this.#isFinishing || this.isFinished || this.writableLength > 0) return;
    this.isFinished = true;
    this.#raw.end();
  }

  #flow(): void {
    if (this.#isPaused || this.#isFull) this.#raw.pause();
    else this.#raw.resume();
  }
}
