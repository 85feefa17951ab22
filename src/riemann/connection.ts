import { AnswerReader, frame } from './framing.ts';
import { decodeMessage, encodeMessage, type RiemannMessage } from './protocol.ts';

/** A byte stream that is open or about to be. */
export interface Stream {
  /** @returns false if the bytes are buffered for now, which changes nothing for the caller */
  write(bytes: Uint8Array): boolean;
  /** Closes it at once, whatever is under way. */
  destroy(): void;
}

/** What happens on it: `opened` at most once and before everything else, `closed` last. */
export interface StreamHandler {
  opened(): void;
  data(bytes: Uint8Array): void;
  /** The peer has sent its last byte. */
  end(): void;
  /**
   * Exactly once, and never within {@link Connect} itself.
   * @param error why, if it broke or could not be opened
   */
  closed(error?: Error): void;
}

/** Begins to open a stream to the server. */
export type Connect = (handler: StreamHandler) => Stream;

/** What is being waited for: that the stream opens, or an answer. */
interface Waiting {
  resolve(answer: RiemannMessage): void;
  reject(error: Error): void;
}

/**
 * A connection to a Riemann server over TCP or TLS: each message goes with its length
 * before it, and the server answers each with one. After any failure, which all
 * are Errors that tell a person what happened, it is closed for good.
 */
export class RiemannConnection {
  private stream: Stream | undefined;
  private isOpened = false;
  private failure: Error | undefined;
  private waiting: Waiting | undefined;
  private readonly answers = new AnswerReader();
  private readonly signal: AbortSignal | undefined;
  private readonly abort = () => this.fail(asError(this.signal?.reason));

  private constructor(signal?: AbortSignal) {
    this.signal = signal;
    signal?.addEventListener('abort', this.abort);
  }

  /**
   * @param timeoutMs how long opening may take
   * @param signal closes the connection when it is aborted, with its reason as the error
   * @throws {Error} (it rejects) if it can't be opened, or not in time
   */
  static async open(
    connect: Connect,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<RiemannConnection> {
    signal?.throwIfAborted();
    const connection = new RiemannConnection(signal);
    await connection.wait(timeoutMs, "can't connect", () => connection.start(connect));
    return connection;
  }

  /** Whether a request can be made, as far as is known. */
  get isOpen(): boolean {
    return this.isOpened && this.failure === undefined;
  }

  /**
   * Sends a message; only one may be on its way.
   * @param timeoutMs how long the answer may take
   * @returns the answer, which has an `ok`
   * @throws {Error} (it rejects) if no proper answer comes in time
   */
  async request(message: RiemannMessage, timeoutMs: number): Promise<RiemannMessage> {
    if (this.failure) throw this.failure;
    if (this.waiting) throw new Error('a request is on its way already');
    const bytes = frame(encodeMessage(message));
    return await this.wait(timeoutMs, '', () => this.stream?.write(bytes));
  }

  /** Closes the connection; a request that is on its way is rejected. */
  close(): void {
    this.fail(new Error('connection closed'));
  }

  /** Does what `begin` does and waits for what it brings about, or for the failure. */
  private wait(timeoutMs: number, prefix: string, begin: () => void): Promise<RiemannMessage> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.fail(new Error(`no answer within ${timeoutMs / 1000} s`)),
        timeoutMs,
      );
      this.waiting = {
        resolve(answer) {
          clearTimeout(timer);
          resolve(answer);
        },
        reject(error) {
          clearTimeout(timer);
          reject(prefix ? new Error(`${prefix}: ${error.message}`, { cause: error }) : error);
        },
      };
      try {
        begin();
      } catch (error) {
        this.fail(asError(error));
      }
    });
  }

  private start(connect: Connect): void {
    const stream = connect({
      opened: () => this.opened(),
      data: (bytes) => this.data(bytes),
      end: () => this.fail(new Error('the server closed the connection')),
      closed: (error) => this.fail(error ?? new Error('connection closed')),
    });
    this.stream = stream;
    // It may have failed within connect(), where there was nothing to destroy yet.
    if (this.failure) stream.destroy();
  }

  private opened(): void {
    if (this.failure) return;
    this.isOpened = true;
    this.settle({});
  }

  private data(bytes: Uint8Array): void {
    if (this.failure || bytes.length === 0) return;
    try {
      if (!this.isOpened || !this.waiting) throw new Error('it sent something unasked');
      const body = this.answers.push(bytes);
      if (!body) return;
      const answer = decodeMessage(body);
      if (answer.ok === undefined) throw new Error('an answer without "ok"');
      this.settle(answer);
    } catch (error) {
      const { message } = asError(error);
      this.fail(new Error(`it does not speak Riemann's protocol (${message})`, { cause: error }));
    }
  }

  private settle(answer: RiemannMessage): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.resolve(answer);
  }

  private fail(error: Error): void {
    if (this.failure) return;
    this.failure = error;
    this.signal?.removeEventListener('abort', this.abort);
    this.stream?.destroy();
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.reject(error);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
