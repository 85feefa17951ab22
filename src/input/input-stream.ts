import type { Forwarder, Sender, Share } from '../forward/forwarder.ts';
import type { Connection, ConnectionHandler } from '../runtime/runtime.ts';
import type { Cutter } from '../syslog/cutter.ts';
import type { Formatter } from '../syslog/format.ts';
import { Account, type SenderStatus } from './account.ts';
import type { Intake, Pausable } from './intake.ts';

/** What becomes of a stream. */
export interface StreamEvents {
  /** It is read to its end and everything in it is in a batch. */
  onFinished: () => void;
  /** It has finished, and its connection is closed. */
  onGone: () => void;
}

/** What a stream works with, and its limits. */
export interface StreamOptions extends StreamEvents {
  forwarder: Forwarder;
  intake: Intake;
  formatter: Formatter;
  /** The connection's unacknowledged bytes, as sent, beyond which it is not read. */
  maxUnacknowledgedBytes: number;
}

/**
 * One connection's bytes → frames → the forwarder, for every protocol. It reads on only while its
 * frames are taken; else the connection is paused, and TCP tells the sender.
 */
export abstract class InputStream<F extends Cutter = Cutter>
  implements ConnectionHandler, Sender, Pausable
{
  protected readonly connection: Connection;
  protected readonly options: StreamOptions;
  protected readonly framer: F;
  protected readonly account: Account;
  /** What the framer is at. */
  private chunk: Uint8Array | undefined;
  /** Chunks that came while that was still being taken. */
  private readonly chunks: Uint8Array[] = [];
  /** The framer holds a frame that was not taken yet. */
  private hasFrame = false;
  private isWaiting = false;
  /** What the intake was told that this stream holds. */
  private heldBytes = 0;
  protected isPaused = false;
  /** What has not been taken is not wanted any more. */
  private isDiscarding = false;
  /** How many looks in a row have found that nothing had come. */
  private quietLooks = 0;
  /** How many looks in a row have found that it has not proven to be a sender. */
  private strangeLooks = 0;
  /** How many looks in a row have found that it is read to its end, and not closed. */
  private lingeringLooks = 0;
  private hasEnded = false;
  private hasFinished = false;
  private isClosed = false;

  constructor(connection: Connection, framer: F, options: StreamOptions) {
    this.connection = connection;
    this.options = options;
    this.framer = framer;
    const { forwarder, formatter, maxUnacknowledgedBytes } = options;
    this.account = new Account(forwarder, formatter, maxUnacknowledgedBytes);
  }

  /** Tells the sender that it should close; what it still gets rid of is not lost. */
  abstract stop(): void;

  /**
   * Takes the frame that the framer is at.
   * @param now the time of arrival, ms since 1970
   * @returns whether it did; else it is offered again after {@link proceed}
   */
  protected abstract takeFrame(now: number): boolean;

  /** Whether it has sent something that only a sender of this protocol would send. */
  protected abstract get isProven(): boolean;

  /** Whether more has to be awaited although nothing comes. */
  protected get isBusy(): boolean {
    return this.isPaused || this.framer.isInside;
  }

  data(bytes: Uint8Array): void {
    if (this.isDiscarding) {
      this.connection.release(bytes);
      return;
    }
    this.quietLooks = 0;
    this.chunks.push(bytes);
    if (this.isWaiting) this.hold(bytes.length);
    else this.take();
  }

  /** What has come is all there is. */
  end(): void {
    this.hasEnded = true;
    if (!this.isWaiting) this.take();
  }

  closed(): void {
    if (!this.hasEnded) this.end();
    this.isClosed = true;
    this.leave();
  }

  get status(): SenderStatus {
    return this.account.status(this.connection.peer, this.isWaiting);
  }

  acknowledged(share: Share): void {
    if (this.account.settle(share)) this.proceed();
  }

  proceed(): void {
    if (!this.isWaiting) return;
    this.isWaiting = false;
    const held = this.heldBytes;
    this.heldBytes = 0;
    this.take();
    this.options.intake.release(held);
  }

  pauseReading(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    this.connection.pause();
  }

  resumeReading(): void {
    if (!this.isPaused || this.isWaiting) return;
    this.isPaused = false;
    this.connection.resume();
  }

  /**
   * Looks whether anything has come. Counts the stream as finished if more than `looks`
   * in a row have found nothing although it was read, and nothing has begun: the sender
   * is idle, and will see our FIN before it sends again. Looks are counted and not time:
   * when the process stood still, time is over before what has come meanwhile is read.
   * @returns whether it did
   */
  finishIfQuiet(looks: number): boolean {
    if (this.isBusy) this.quietLooks = 0;
    else this.quietLooks += 1;
    if (this.quietLooks <= looks) return false;
    this.finish();
    return true;
  }

  /**
   * Looks whether somebody who has connected is a sender at all. One who has not shown it in
   * `looks` of them, while being read, is told so, and dropped at the next one.
   * @returns whether it was dropped now
   */
  dropIfStrange(looks: number): boolean {
    if (this.hasFinished) {
      // Over TLS a peer can say that it has ended, and stay connected.
      this.lingeringLooks += 1;
      if (this.lingeringLooks > looks) this.connection.destroy();
      return false;
    }
    if (this.isProven || this.isPaused) return false;
    this.strangeLooks += 1;
    if (this.strangeLooks === looks) this.dismiss();
    if (this.strangeLooks <= looks) return false;
    this.abandon();
    this.connection.destroy();
    return true;
  }

  /** Tells who has not proven to be a sender that it is late. */
  protected dismiss(): void {
    this.connection.end();
  }

  /** Takes what has come as all there is. */
  abandon(): void {
    this.pauseReading();
    this.end();
  }

  /** Drops what has not been taken, and what comes from now on. */
  protected discard(): void {
    this.isDiscarding = true;
    this.isWaiting = false;
    this.hasFrame = false;
    if (this.chunk) this.chunks.push(this.chunk);
    this.chunk = undefined;
    for (const chunk of this.chunks.splice(0)) this.connection.release(chunk);
    const held = this.heldBytes;
    this.heldBytes = 0;
    this.options.intake.release(held);
    this.resumeReading();
  }

  protected finish(): void {
    if (this.hasFinished) return;
    this.hasFinished = true;
    this.connection.end();
    this.options.onFinished();
    this.leave();
  }

  private take(): void {
    const now = Date.now();
    while (this.nextFrame()) {
      if (!this.takeFrame(now)) {
        this.wait();
        this.options.forwarder.scheduleFlush();
        return;
      }
      this.hasFrame = false;
    }
    this.options.forwarder.scheduleFlush();
    if (!this.hasEnded && !this.options.intake.isClosed) this.resumeReading();
    if (this.hasEnded) this.finish();
  }

  private nextFrame(): boolean {
    while (!this.hasFrame) {
      if (this.isDiscarding) return false;
      if (this.framer.next()) {
        this.hasFrame = true;
      } else {
        if (this.chunk) this.connection.release(this.chunk);
        this.chunk = this.chunks.shift();
        if (this.chunk) this.framer.push(this.chunk);
        else if (this.hasEnded && !this.framer.hasEnded) this.framer.finish();
        else return false;
      }
    }
    return true;
  }

  private wait(): void {
    this.isWaiting = true;
    this.account.hold();
    this.pauseReading();
    this.hold(this.chunks.reduce((sum, { length }) => sum + length, this.framer.heldBytes));
  }

  private hold(bytes: number): void {
    this.heldBytes += bytes;
    this.options.intake.hold(bytes);
  }

  private leave(): void {
    if (this.hasFinished && this.isClosed) this.options.onGone();
  }
}
