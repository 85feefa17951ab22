import { CR, LF } from './ascii.ts';
import type { Frame } from './cutter.ts';
import { StructuredData } from './structured-data.ts';

/** user.notice, what RFC 3164 §4.3.3 gives to a message without PRI. */
const DEFAULT_PRIORITY = 13;

/** A header longer than this is not repeated in the parts of a message. */
export const MAX_REPEATED_HEADER_BYTES = 4096;

const NOTHING = new Uint8Array(0);

/**
 * A parsed syslog message: its fields as offsets into the frame's bytes, so that
 * reading one makes no string. One instance is filled again for each frame.
 * An absent field is empty (`start === end`); names are RFC 5424's.
 */
export class Message {
  /** The buffer that the header fields' offsets refer to: the frame's own, or part 1's. */
  header: Uint8Array = NOTHING;
  /** The buffer that holds the frame and its text. */
  frame: Uint8Array = NOTHING;
  start = 0;
  /** Where the message ends: before a line end that an octet-counted frame may hold. */
  end = 0;
  frameEnd = 0;

  facility = 0;
  severity = 0;
  /** RFC 3339 text: in the frame itself where it can stay as sent, else made anew. */
  timestamp: Uint8Array = NOTHING;
  timestampStart = 0;
  timestampEnd = 0;
  hostnameStart = 0;
  hostnameEnd = 0;
  appnameStart = 0;
  appnameEnd = 0;
  procidStart = 0;
  procidEnd = 0;
  msgidStart = 0;
  msgidEnd = 0;
  readonly structuredData = new StructuredData();
  /** Cisco's sequence number (digits), told as RFC 5424 §7.3.1's `sequenceId`. */
  sequenceIdStart = 0;
  sequenceIdEnd = 0;
  /** Cisco's `*` or `.` before the time: RFC 5424 §7.1.2's `isSynced="0"`. */
  unsynced = false;
  /** False where the frame ends before a MSG, which differs from an empty one. */
  hasText = false;
  textStart = 0;
  textEnd = 0;
  /** Why the frame could not be read as it claims to be; empty if it could. */
  error = '';
  /** Which part of a longer frame this is: 1, 2, …; 0 for a whole one. */
  part = 0;

  /**
   * A message for the further parts of this one, which is their first: it keeps a
   * copy of the header, where that is not so long that repeating it would be a waste.
   */
  continuation(): Message {
    const next = new Message();
    next.facility = this.facility;
    next.severity = this.severity;
    // Without a text the header is all there is: the cut is right behind it.
    const headerEnd = this.hasText ? this.textStart : this.end;
    if (headerEnd - this.start > MAX_REPEATED_HEADER_BYTES) return next;
    // A Buffer's own slice() would not copy.
    next.header = new Uint8Array(this.header.subarray(this.start, headerEnd));
    next.timestamp = new Uint8Array(
      this.timestamp.subarray(this.timestampStart, this.timestampEnd),
    );
    next.timestampEnd = next.timestamp.length;
    next.hostnameStart = this.hostnameStart - this.start;
    next.hostnameEnd = this.hostnameEnd - this.start;
    next.appnameStart = this.appnameStart - this.start;
    next.appnameEnd = this.appnameEnd - this.start;
    next.procidStart = this.procidStart - this.start;
    next.procidEnd = this.procidEnd - this.start;
    next.msgidStart = this.msgidStart - this.start;
    next.msgidEnd = this.msgidEnd - this.start;
    return next;
  }

  /** Makes this, a {@link continuation}, the message of a further part. */
  continueWith({ bytes, start, end, part }: Frame): void {
    this.frame = bytes;
    this.start = start;
    this.end = end;
    this.frameEnd = end;
    this.part = part;
    this.error = '';
    this.setText(start);
  }

  /** Everything from `at` to the frame's end is the text. */
  setText(at: number): void {
    this.hasText = true;
    this.textStart = at;
    this.textEnd = this.end;
  }

  /** Forgets all header fields but facility and severity. */
  clearHeader(): void {
    // Not only empty: what it was in may be released, and then not even that can be taken of it.
    this.timestamp = NOTHING;
    this.timestampStart = this.timestampEnd = 0;
    this.hostnameStart = this.hostnameEnd = 0;
    this.appnameStart = this.appnameEnd = 0;
    this.procidStart = this.procidEnd = 0;
    this.msgidStart = this.msgidEnd = 0;
    this.structuredData.clear();
    this.sequenceIdStart = this.sequenceIdEnd = 0;
    this.unsynced = false;
  }

  /** Makes this the message of a new frame, of which nothing is read yet. */
  begin({ bytes, start, end, part }: Frame): void {
    this.header = bytes;
    this.frame = bytes;
    this.start = start;
    // A part's last byte may stand in the middle of the message.
    this.end = part === 0 ? withoutLineEnd(bytes, start, end) : end;
    this.frameEnd = end;
    this.part = part;
    this.facility = DEFAULT_PRIORITY >> 3;
    this.severity = DEFAULT_PRIORITY & 7;
    this.clearHeader();
    this.hasText = false;
    this.error = '';
  }
}

function withoutLineEnd(bytes: Uint8Array, start: number, end: number): number {
  if (end === start || bytes[end - 1] !== LF) return end;
  return end - 1 > start && bytes[end - 2] === CR ? end - 2 : end - 1;
}
