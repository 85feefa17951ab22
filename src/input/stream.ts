import type { Forwarder, Sender, Share } from '../forward/forwarder.ts';
import type { Connection, ConnectionHandler } from '../runtime/runtime.ts';
import type { Formatter } from '../syslog/format.ts';
import { Framer } from '../syslog/framing.ts';
import { type ForeignProtocol, foreignProtocol } from './foreign.ts';
import type { Intake, Pausable } from './intake.ts';

/** What a stream works with, and its limits. */
export interface StreamOptions {
  /** The address that it came through. */
  listener: string;
  forwarder: Forwarder;
  intake: Intake;
  formatter: Formatter;
  /** Longer frames are forwarded in parts. */
  maxMessageBytes: number;
  /** The connection's unacknowledged bytes, as sent, beyond which it is not read. */
  maxUnacknowledgedBytes: number;
  /** The stream is read to its end and everything in it is in a batch. */
  onFinished: (stream: SyslogStream) => void;
  /** What arrives looks like another protocol; said once. */
  onForeign: (peer: string, protocol: ForeignProtocol) => void;
}

/** A stream's state, for people. */
export interface StreamStatus {
  listener: string;
  peer: string;
  /** Messages taken from it, a part of a long one counting as one. */
  received: number;
  /** Those that are not acknowledged yet. */
  unacknowledged: number;
  /** For how long its next message has been waiting for room, in ms; 0 if none is. */
  heldMs: number;
}

/**
 * Syslog on one byte stream: bytes → frames → the forwarder. It reads on only while
 * the forwarder takes its frames; else the connection is paused, and TCP tells the
 * sender.
 */
export class SyslogStream implements ConnectionHandler, Sender, Pausable {
  private readonly connection: Connection;
  private readonly options: StreamOptions;
  private readonly framer: Framer;
  /** What the framer is at. */
  private chunk: Uint8Array | undefined;
  /** Chunks that came while that was still being taken. */
  private readonly chunks: Uint8Array[] = [];
  private share: Share | null = null;
  private unacknowledgedBytes = 0;
  private received = 0;
  private acknowledgedMessages = 0;
  /** The framer holds a frame that the forwarder has not taken yet. */
  private hasFrame = false;
  private isWaiting = false;
  /** Since when its next message waits, and how many it had been before, on the clock that never jumps. */
  private heldSince = 0;
  private receivedWhenHeld = -1;
  /** What the intake was told that this stream holds. */
  private heldBytes = 0;
  private isPaused = false;
  /** How many looks in a row have found that nothing had come. */
  private quietLooks = 0;
  private hasEnded = false;
  private hasFinished = false;
  /** No frame has come yet. */
  private isFresh = true;

  constructor(connection: Connection, options: StreamOptions) {
    this.connection = connection;
    this.options = options;
    this.framer = new Framer(options.maxMessageBytes);
  }

  data(bytes: Uint8Array): void {
    this.quietLooks = 0;
    this.chunks.push(bytes);
    if (this.isWaiting) this.hold(bytes.length);
    else this.take();
  }

  /** What has come is all there is: a frame that is unfinished is forwarded as it is. */
  end(): void {
    this.hasEnded = true;
    if (!this.isWaiting) this.take();
  }

  /** What came before a connection broke is forwarded like everything else. */
  closed(): void {
    if (!this.hasEnded) this.end();
  }

  get status(): StreamStatus {
    return {
      listener: this.options.listener,
      peer: this.connection.peer,
      received: this.received,
      unacknowledged: this.received - this.acknowledgedMessages,
      heldMs: this.isWaiting ? performance.now() - this.heldSince : 0,
    };
  }

  acknowledged(share: Share): void {
    this.acknowledgedMessages += share.messages;
    this.unacknowledgedBytes -= share.bytes;
    if (this.isWaiting && this.isOverLimit(share.bytes) && !this.isOverLimit()) this.proceed();
  }

  proceed(): void {
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

  /** Sends FIN: the sender learns that it should close, and what it sends is still read. */
  halfClose(): void {
    this.connection.end();
  }

  /**
   * Looks whether anything has come. Counts the stream as finished if more than `looks`
   * in a row have found nothing although it was read, and no frame has begun: the sender
   * is idle, and will see our FIN before it sends again. Looks are counted and not time:
   * when the process stood still, time is over before what has come meanwhile is read.
   * @returns whether it did
   */
  finishIfQuiet(looks: number): boolean {
    if (this.isPaused || this.framer.isInside) this.quietLooks = 0;
    else this.quietLooks += 1;
    if (this.quietLooks <= looks) return false;
    this.finish();
    return true;
  }

  private take(): void {
    const now = Date.now();
    while (this.nextFrame()) {
      if (this.isOverLimit() || !this.offer(now)) {
        this.wait();
        this.options.forwarder.scheduleFlush();
        return;
      }
    }
    this.options.forwarder.scheduleFlush();
    if (!this.hasEnded && !this.options.intake.isClosed) this.resumeReading();
    if (this.hasEnded) this.finish();
  }

  private nextFrame(): boolean {
    while (!this.hasFrame) {
      if (this.framer.next()) {
        this.hasFrame = true;
        if (this.isFresh) this.greet();
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

  private offer(now: number): boolean {
    const { forwarder, formatter } = this.options;
    const before = this.share?.bytes ?? 0;
    const share = forwarder.add(this, this.share, formatter, this.framer, now);
    if (share === null) return false;
    this.unacknowledgedBytes += share === this.share ? share.bytes - before : share.bytes;
    this.share = share;
    this.received += 1;
    this.hasFrame = false;
    return true;
  }

  private isOverLimit(extra = 0): boolean {
    return this.unacknowledgedBytes + extra >= this.options.maxUnacknowledgedBytes;
  }

  private wait(): void {
    this.isWaiting = true;
    if (this.receivedWhenHeld !== this.received) {
      this.receivedWhenHeld = this.received;
      this.heldSince = performance.now();
    }
    this.pauseReading();
    this.hold(this.chunks.reduce((sum, { length }) => sum + length, this.framer.heldBytes));
  }

  private hold(bytes: number): void {
    this.heldBytes += bytes;
    this.options.intake.hold(bytes);
  }

  private finish(): void {
    if (this.hasFinished) return;
    this.hasFinished = true;
    this.connection.end();
    this.options.onFinished(this);
  }

  /** At the stream's first frame: is it syslog at all? */
  private greet(): void {
    this.isFresh = false;
    const { bytes, start, end } = this.framer;
    const protocol = foreignProtocol(bytes, start, end);
    if (protocol) this.options.onForeign(this.connection.peer, protocol);
  }
}
