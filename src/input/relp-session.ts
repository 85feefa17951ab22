import type { Share } from '../forward/forwarder.ts';
import {
  encodeAcknowledgements,
  encodeAnswer,
  encodeServerClose,
  type Run,
} from '../relp/answers.ts';
import { RelpFramer, type Violation } from '../relp/framing.ts';
import type { Connection } from '../runtime/runtime.ts';
import { NOTHING } from '../syslog/cutter.ts';
import { VERSION } from '../version.ts';
import { guessProtocol, type Protocol } from './foreign.ts';
import { InputStream, type StreamOptions } from './input-stream.ts';

/** A session does not begin while nothing has been acknowledged for so long, in ms. */
const STALLED_MS = 5_000;
/** Frames whose answer is owed, beyond which no more is read: those without a message hold no bytes. */
const MAX_UNANSWERED = 16_384;
/** Answers that the kernel has no room for, beyond which a client is taken for one that reads none. */
const MAX_UNREAD_BYTES = 262_144;

const OK = '200 OK';
const OFFERS = [OK, 'relp_version=0', `relp_software=syslogger,${VERSION}`, 'commands=syslog'].join(
  '\n',
);

/** What a session is given beside what every stream is. */
export interface RelpSessionOptions extends StreamOptions {
  /** Longer messages are forwarded in parts. */
  maxMessageBytes: number;
  /** What arrives is no RELP as we have offered it: the connection is dropped. */
  onViolation: (peer: string, problem: string, protocol: Protocol | undefined) => void;
}

/** Frames that end in one share, and can be answered once it and those before it are acknowledged. */
interface Unanswered {
  /** Absent where there was no message in them and nothing to wait for. */
  share: Share | null;
  runs: Run[];
}

/**
 * RELP on one connection. A frame is answered once Kafka has its message, and in the order of the
 * frames. The client keeps what has no answer yet, and sends it again on its next connection: so
 * what was not yet on its way when a connection ends is forgotten here. Only a client that has said
 * `close` sends nothing again.
 */
export class RelpSession extends InputStream<RelpFramer> {
  private readonly onViolation: RelpSessionOptions['onViolation'];
  /** The transaction of the client's `open`; it is answered once {@link isOpen}. */
  private opening: number | undefined;
  private isOpen = false;
  private unanswered: Unanswered[] = [];
  private unansweredFrames = 0;
  /** Answers that were given since the client has stopped reading them. */
  private unreadBytes = 0;
  /** Its frames wait for answers to be given. */
  private isHeld = false;
  /** The transaction of the client's `close`, until it is answered. */
  private closing: number | undefined;
  private isStopping = false;
  /** No frame is taken any more, and the connection ends after the last answer. */
  private isEnding = false;
  private hasConcluded = false;

  constructor(connection: Connection, options: RelpSessionOptions) {
    super(connection, new RelpFramer(options.maxMessageBytes), options);
    this.onViolation = options.onViolation;
  }

  /** Takes no more frames from the next look on, answers those that it has taken, and tells the client to go. */
  override stop(): void {
    this.isStopping = true;
  }

  override finishIfQuiet(looks: number): boolean {
    // What was sent before the stop has been read by now.
    if (this.isStopping && !this.isEnding) {
      this.isEnding = true;
      this.discard();
      this.conclude();
    }
    return super.finishIfQuiet(looks);
  }

  /** The client is gone, or goes without waiting for answers. */
  override end(): void {
    this.drop();
    super.end();
  }

  override acknowledged(share: Share): void {
    this.answer();
    super.acknowledged(share);
  }

  drained(): void {
    this.unreadBytes = 0;
  }

  override proceed(): void {
    if (this.opening !== undefined && !this.isOpen) this.open();
    super.proceed();
  }

  /** A client that was told nothing yet need not be told that it is late. */
  protected override dismiss(): void {}

  protected override get isProven(): boolean {
    return this.isOpen;
  }

  protected override get isBusy(): boolean {
    return this.isPaused || !this.hasConcluded;
  }

  protected override takeFrame(now: number): boolean {
    const { framer } = this;
    if (framer.violation) return this.refuse(framer.violation);
    if (framer.command === 'open' && this.opening === undefined) {
      this.opening = framer.transaction;
      this.open();
      return true;
    }
    if (framer.command === 'syslog' && this.opening !== undefined) return this.takeMessage(now);
    if (framer.command === 'close') return this.close();
    const sample = new TextEncoder().encode(framer.command);
    return this.refuse({ problem: `${framer.command} is not expected here`, sample });
  }

  /**
   * Greets the client. While nothing can be delivered it has to wait: else each of its attempts
   * would leave a copy of its messages on their way to Kafka.
   */
  private open(): void {
    const { forwarder } = this.options;
    if (forwarder.stalledMs >= STALLED_MS) {
      forwarder.awaitProgress(this);
      return;
    }
    this.isOpen = true;
    this.write(encodeAnswer(this.opening ?? 0, OFFERS));
  }

  private takeMessage(now: number): boolean {
    const { framer, account } = this;
    if (!this.isOpen) return false;
    if (this.unansweredFrames >= MAX_UNANSWERED) {
      this.isHeld = true;
      return false;
    }
    const hasMessage = framer.end > framer.start;
    if (hasMessage && !account.offer(this, framer, now)) return false;
    let last = this.unanswered.at(-1);
    if (last === undefined || (hasMessage && last.share !== account.share)) {
      last = { share: hasMessage ? account.share : null, runs: [] };
      this.unanswered.push(last);
    }
    if (framer.isComplete) this.owe(last.runs);
    if (!hasMessage) this.answer();
    return true;
  }

  /** Notes that the current frame's answer is owed. */
  private owe(runs: Run[]): void {
    const { transaction } = this.framer;
    const run = runs.at(-1);
    if (run && run.first + run.count === transaction) run.count += 1;
    else runs.push({ first: transaction, count: 1 });
    this.unansweredFrames += 1;
  }

  /** Gives the answers that can be given. */
  private answer(): void {
    const runs: Run[] = [];
    while (this.unanswered.length > 0) {
      const [{ share, runs: next }] = this.unanswered;
      if (share !== null && !share.isAcknowledged) break;
      runs.push(...next);
      this.unanswered.shift();
    }
    for (const { count } of runs) this.unansweredFrames -= count;
    this.conclude(encodeAcknowledgements(runs));
    this.goOn();
  }

  private close(): boolean {
    this.closing = this.framer.transaction;
    this.isEnding = true;
    this.discard();
    this.conclude();
    return true;
  }

  /**
   * Gives answers, and says goodbye where one of the sides wants to close and these are the last.
   * All in one write: a client reads no further once it knows that the connection is over.
   */
  private conclude(answers = NOTHING): void {
    if (!this.isEnding || this.hasConcluded || this.unanswered.length > 0) {
      if (answers.length > 0) this.write(answers);
      return;
    }
    this.hasConcluded = true;
    const last = this.closing === undefined ? NOTHING : encodeAnswer(this.closing, OK);
    this.write(Buffer.concat([answers, last, encodeServerClose()]));
    // What the client has sent since goes unanswered; reading it lets it read what we have said.
    this.connection.end();
  }

  /** What came is not RELP: what has no answer will be sent again, if it ever was a message. */
  private refuse({ problem, sample }: Violation): true {
    const protocol = guessProtocol(sample, 0, sample.length);
    this.onViolation(this.connection.peer, problem, protocol === 'RELP' ? undefined : protocol);
    this.drop();
    this.connection.destroy();
    return true;
  }

  /** Forgets what the client will send again. */
  private drop(): void {
    const { forwarder } = this.options;
    this.discard();
    this.unanswered = [];
    this.unansweredFrames = 0;
    this.hasConcluded = true;
    forwarder.dismiss(this);
    if (this.closing === undefined) forwarder.forget(this);
  }

  private goOn(): void {
    if (!this.isHeld || this.unansweredFrames >= MAX_UNANSWERED) return;
    this.isHeld = false;
    this.proceed();
  }

  private write(bytes: Uint8Array): void {
    if (this.connection.write(bytes)) this.unreadBytes = 0;
    else this.unreadBytes += bytes.length;
    if (this.unreadBytes > MAX_UNREAD_BYTES) {
      this.refuse({ problem: 'it does not read its answers', sample: NOTHING });
    }
  }
}
