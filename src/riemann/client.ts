import { Backoff } from './backoff.ts';
import { type Connect, RiemannConnection } from './connection.ts';
import type { RiemannEvent } from './protocol.ts';

/** The most events in one message. */
const MAX_MESSAGE_EVENTS = 500;

/** More of a server's error text is not shown. */
const MAX_ERROR_CHARACTERS = 500;

/** Where the server is, and what to do about failures. The functions must not throw. */
export interface RiemannClientOptions {
  connect: Connect;
  /**
   * Events kept while the server can't take them, besides the at most 500 that are on their
   * way; beyond it the oldest are thrown away (default 1000).
   */
  maxQueuedEvents?: number;
  /** How long opening or an answer may take, in ms (default 5000). */
  timeoutMs?: number;
  /** Called at each failure, with a message for a person; the caller folds repetitions. */
  onProblem?: (message: string) => void;
  /** Called when an answer `ok` comes after a problem. */
  onRecovered?: () => void;
}

/** What became of the events, and how often something failed. */
export interface RiemannCounts {
  /** Events that the server took. */
  sent: number;
  /** Events that were thrown away: the queue was full, or the client was closed. */
  dropped: number;
  /** Events of messages that the server answered with an error; they are not sent again. */
  refused: number;
  /** Connections that could not be opened, and requests that got no answer. */
  failures: number;
}

/**
 * Sends events to a Riemann server in the order in which they come, in as few messages
 * as its answers allow. Events whose answer is lost are sent again, so a server may get
 * them twice. It opens its connection when there is something to send, and keeps it.
 */
export class RiemannClient {
  readonly counts: RiemannCounts = { sent: 0, dropped: 0, refused: 0, failures: 0 };
  private readonly options: RiemannClientOptions;
  private readonly maxQueuedEvents: number;
  private readonly timeoutMs: number;
  private readonly backoff = new Backoff();
  /** Ends what is under way when the client has to be closed. */
  private readonly abandon = new AbortController();
  private readonly queue: RiemannEvent[] = [];
  private onTheWay: RiemannEvent[] = [];
  private connection: RiemannConnection | undefined;
  private isSending = false;
  private sending: Promise<void> | undefined;
  private closing: Promise<void> | undefined;
  private hasProblem = false;

  constructor(options: RiemannClientOptions) {
    this.options = options;
    this.maxQueuedEvents = options.maxQueuedEvents ?? 1000;
    this.timeoutMs = options.timeoutMs ?? 5000;
  }

  /** Events that the server has not answered yet. */
  get queued(): number {
    return this.queue.length + this.onTheWay.length;
  }

  /** Sends events when the server can take them; they must not be changed any more. */
  send(events: readonly RiemannEvent[]): void {
    if (this.closing) {
      this.counts.dropped += events.length;
      return;
    }
    for (const event of events) this.queue.push(event);
    this.trim();
    this.wake();
  }

  /**
   * Sends what is queued, tries no more after a failure, and closes. Never rejects.
   * @param deadlineMs how long that may take; what is not sent by then is thrown away
   */
  close(deadlineMs: number): Promise<void> {
    this.closing ??= this.finish(deadlineMs);
    return this.closing;
  }

  private async finish(deadlineMs: number): Promise<void> {
    const late = new Error(`no answer within ${deadlineMs / 1000} s`);
    const timer = setTimeout(() => this.abandon.abort(late), deadlineMs);
    this.backoff.endWait();
    this.wake();
    await this.sending;
    clearTimeout(timer);
    this.connection?.close();
    this.counts.dropped += this.queue.splice(0).length;
  }

  private wake(): void {
    if (this.isSending || this.queue.length === 0) return;
    this.isSending = true;
    this.sending = this.sendAll();
  }

  private async sendAll(): Promise<void> {
    while (this.queue.length > 0) {
      try {
        await this.sendNext();
      } catch (error) {
        this.queue.unshift(...this.onTheWay.splice(0));
        this.trim();
        this.counts.failures += 1;
        this.report(error instanceof Error ? error.message : String(error));
        if (this.closing) break;
        await this.backoff.wait();
      }
    }
    this.isSending = false;
  }

  private async sendNext(): Promise<void> {
    const { counts, timeoutMs } = this;
    const { signal } = this.abandon;
    if (!this.connection?.isOpen) {
      this.connection = await RiemannConnection.open(this.options.connect, timeoutMs, signal);
    }
    this.onTheWay = this.queue.splice(0, MAX_MESSAGE_EVENTS);
    const answer = await this.connection.request({ events: this.onTheWay }, timeoutMs);
    const answered = this.onTheWay.splice(0).length;
    if (answer.ok) {
      counts.sent += answered;
      this.backoff.reset();
      if (this.hasProblem) this.options.onRecovered?.();
      this.hasProblem = false;
    } else {
      counts.refused += answered;
      const text = answer.error?.slice(0, MAX_ERROR_CHARACTERS) || 'no reason given';
      this.report(`the server refused events: ${text}`);
    }
  }

  private trim(): void {
    const excess = Math.max(0, this.queue.length - this.maxQueuedEvents);
    this.queue.splice(0, excess);
    this.counts.dropped += excess;
  }

  private report(problem: string): void {
    this.hasProblem = true;
    this.options.onProblem?.(problem);
  }
}
