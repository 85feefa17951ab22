import type { Forwarder, Sender, Share } from '../forward/forwarder.ts';
import type { Frame } from '../syslog/cutter.ts';
import type { Formatter } from '../syslog/format.ts';

/** A sender's state, for people. */
export interface SenderStatus {
  peer: string;
  /** Messages taken from it, a part of a long one counting as one. */
  received: number;
  /** Those that are not acknowledged yet. */
  unacknowledged: number;
  /** For how long its next message has been waiting for room, in ms; 0 if none is. */
  heldMs: number;
}

/** What one sender has given to the forwarder, and what of it is not acknowledged yet. */
export class Account {
  /** Messages taken, a part of a long one counting as one. */
  received = 0;
  /** What the last message was added to. */
  share: Share | null = null;
  private readonly forwarder: Forwarder;
  private readonly formatter: Formatter;
  private readonly limit: number;
  private acknowledged = 0;
  private unacknowledgedBytes = 0;
  /** Since when its next message waits, and how many it had been before, on the clock that never jumps. */
  private heldSince = 0;
  private receivedWhenHeld = -1;

  /** @param limit the unacknowledged bytes, as sent, beyond which nothing more is taken */
  constructor(forwarder: Forwarder, formatter: Formatter, limit: number) {
    this.forwarder = forwarder;
    this.formatter = formatter;
    this.limit = limit;
  }

  private get isOverLimit(): boolean {
    return this.unacknowledgedBytes >= this.limit;
  }

  /**
   * Offers a frame to the forwarder.
   * @param now the time of arrival, ms since 1970
   * @returns whether it was taken; else it must be offered again, once the forwarder has called
   * the sender's `proceed` or {@link settle} has returned true
   */
  offer(sender: Sender, frame: Frame, now: number): boolean {
    if (this.isOverLimit) return false;
    const before = this.share?.bytes ?? 0;
    const share = this.forwarder.add(sender, this.share, this.formatter, frame, now);
    if (share === null) return false;
    this.unacknowledgedBytes += share === this.share ? share.bytes - before : share.bytes;
    this.share = share;
    this.received += 1;
    return true;
  }

  /** Its next message has to wait, perhaps once more. */
  hold(): void {
    if (this.receivedWhenHeld === this.received) return;
    this.receivedWhenHeld = this.received;
    this.heldSince = performance.now();
  }

  /** @param isHeld whether its next message waits now */
  status(peer: string, isHeld: boolean): SenderStatus {
    return {
      peer,
      received: this.received,
      unacknowledged: this.received - this.acknowledged,
      heldMs: isHeld ? performance.now() - this.heldSince : 0,
    };
  }

  /** A share is acknowledged. @returns whether that has brought it below its limit */
  settle(share: Share): boolean {
    const wasOverLimit = this.isOverLimit;
    this.acknowledged += share.messages;
    this.unacknowledgedBytes -= share.bytes;
    return wasOverLimit && !this.isOverLimit;
  }
}
