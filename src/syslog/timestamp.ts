import { COLON, DASH, isDigit, SPACE, UPPER_T, UPPER_Z, ZERO } from './ascii.ts';
import {
  DATE_TIME_LENGTH,
  endsYear,
  isBoundary,
  isDate,
  isTime,
  isUtcMark,
  keyAt,
  MAX_FRACTION_DIGITS,
  number2,
  skipFraction,
  skipOffset,
  wordKey,
  yearAt,
} from './date-time.ts';
import { type Hour, isFresh, NO_HOUR, readHour } from './hour.ts';
import type { Message } from './message.ts';

/** `YYYY-MM-DDThh` */
const HOUR_LENGTH = 13;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH_KEYS = MONTHS.map((name) => wordKey(name));
/** How many hours' texts are kept. */
const KEPT_HOURS = 16;

/**
 * Reads the timestamps of syslog messages. What is RFC 3339 already is left in the
 * frame as sent; the others are rewritten to it, in the daemon's time zone and with
 * their fraction digits as sent. The texts of a few hours are kept, as most messages share
 * them: one would not do where some host's clock is wrong.
 */
export class TimestampReader {
  /** `YYYY-MM-DDThh` of `hour`, then room for minutes, seconds, a fraction and an offset. */
  private readonly text = new Uint8Array(DATE_TIME_LENGTH + 1 + MAX_FRACTION_DIGITS + 6);
  private readonly hours = Array.from({ length: KEPT_HOURS }, (): Hour => ({ ...NO_HOUR }));
  private hour: Hour = NO_HOUR;

  /**
   * Reads RFC 5424 §6.2.3's TIMESTAMP: NILVALUE or RFC 3339 as that section narrows it.
   * @returns the offset behind it, or -1 if it is none
   */
  readRfc5424(message: Message, at: number): number {
    const { header: bytes, end } = message;
    if (at < end && bytes[at] === DASH) return isBoundary(bytes, at + 1, end, false) ? at + 1 : -1;
    if (!isDate(bytes, at, end) || bytes[at + 10] !== UPPER_T) return -1;
    if (!isTime(bytes, at + 11, end)) return -1;
    const zoneAt = skipFraction(bytes, at + DATE_TIME_LENGTH, end);
    const stop = skipOffset(bytes, zoneAt, end);
    if (stop === zoneAt || !isBoundary(bytes, stop, end, false)) return -1;
    if (bytes[zoneAt] !== UPPER_Z && bytes[zoneAt + 3] !== COLON) return -1;
    setInPlace(message, at, stop);
    return stop;
  }

  /**
   * Reads an ISO 8601 timestamp as RFC 3164 senders write it: a space for the `T`,
   * `±hhmm`, or no offset, which means the daemon's zone.
   * @returns the offset behind it, or -1 if it is none
   */
  readIso(message: Message, at: number, now: number): number {
    const { header: bytes, end } = message;
    if (!isDate(bytes, at, end)) return -1;
    if (bytes[at + 10] !== UPPER_T && bytes[at + 10] !== SPACE) return -1;
    if (!isTime(bytes, at + 11, end)) return -1;
    const fractionAt = at + DATE_TIME_LENGTH;
    const zoneAt = skipFraction(bytes, fractionAt, end);
    const stop = skipOffset(bytes, zoneAt, end);
    if (!isBoundary(bytes, stop, end, true)) return -1;
    const hasColon = bytes[zoneAt] === UPPER_Z || bytes[zoneAt + 3] === COLON;
    if (stop > zoneAt && hasColon && bytes[at + 10] === UPPER_T) {
      setInPlace(message, at, stop);
      return stop;
    }
    const year = number2(bytes, at) * 100 + number2(bytes, at + 2);
    // A clock that was never set; 0 means that no year was given.
    if (year === 0) return -1;
    this.setDateTime(
      year,
      number2(bytes, at + 5),
      number2(bytes, at + 8),
      bytes,
      at + 11,
      false,
      now,
    );
    if (stop > zoneAt) {
      const sent = String.fromCharCode(...bytes.subarray(zoneAt, stop));
      this.compose(message, fractionAt, zoneAt, sent.replace(/^(...)(\d\d)$/, '$1:$2'));
    } else {
      this.compose(message, fractionAt, zoneAt, this.hour.zone);
    }
    return stop;
  }

  /**
   * Reads RFC 3164 §4.1.2's `Mmm dd hh:mm:ss`, also with a year before or after the
   * time, a fraction, and Cisco's ` UTC:`.
   * @param now ms since 1970: without a year, the one that puts it nearest to now
   * @returns the offset behind it, or -1 if it is none
   */
  readRfc3164(message: Message, at: number, now: number): number {
    const { header: bytes, end } = message;
    if (at + 14 > end || bytes[at + 3] !== SPACE) return -1;
    const month = MONTH_KEYS.indexOf(keyAt(bytes, at)) + 1;
    if (month === 0) return -1;
    let next = at + 4;
    if (bytes[next] === SPACE) next++;
    let day = number2(bytes, next);
    if (day >= 0) {
      next += 2;
    } else {
      day = isDigit(bytes[next]) ? bytes[next] - ZERO : 0;
      next += 1;
    }
    if (day < 1 || day > 31 || bytes[next] !== SPACE) return -1;
    next += 1;
    let year = yearAt(bytes, next, end);
    if (year > 0 && bytes[next + 4] === SPACE) next += 5;
    else year = 0;
    if (!isTime(bytes, next, end)) return -1;
    const timeAt = next;
    const fractionAt = next + 8;
    const fractionEnd = skipFraction(bytes, fractionAt, end);
    next = fractionEnd;
    if (year === 0 && bytes[next] === SPACE && endsYear(bytes, next + 5, end)) {
      year = yearAt(bytes, next + 1, end);
      if (year > 0) next += 5;
    }
    const isUtc = isUtcMark(bytes, next, end);
    if (isUtc) next += 4;
    if (!isBoundary(bytes, next, end, true)) return -1;
    if (!this.setDateTime(year, month, day, bytes, timeAt, isUtc, now)) return -1;
    this.compose(message, fractionAt, fractionEnd, this.hour.zone);
    return next;
  }

  /** Writes the date and time to `text` and sets `hour`; false if there is no such day. */
  private setDateTime(
    year: number,
    month: number,
    day: number,
    bytes: Uint8Array,
    timeAt: number,
    isUtc: boolean,
    now: number,
  ): boolean {
    // A time zone's offset changes at full hours: minutes and seconds are only copied.
    for (let i = HOUR_LENGTH; i < DATE_TIME_LENGTH; i++) {
      this.text[i] = bytes[timeAt + 2 + i - HOUR_LENGTH];
    }
    const hour = number2(bytes, timeAt);
    const key = (((year * 16 + month) * 32 + day) * 24 + hour) * 2 + (isUtc ? 1 : 0);
    if (key === this.hour.key && isFresh(this.hour, now)) return true;

    const slot = (key >> 1) % KEPT_HOURS;
    const kept = this.hours[slot];
    if (key !== kept.key || !isFresh(kept, now)) {
      const read = readHour(key, now, year, month, day, hour, isUtc);
      if (read === undefined) return false;
      this.hours[slot] = read;
    }
    this.hour = this.hours[slot];
    this.text.set(this.hour.text);
    return true;
  }

  /** Makes `text` the message's timestamp, with the fraction as sent and this zone. */
  private compose(message: Message, fractionAt: number, fractionEnd: number, zone: string): void {
    const { text } = this;
    let at = DATE_TIME_LENGTH;
    for (let i = fractionAt; i < fractionEnd; i++) text[at++] = message.header[i];
    for (let i = 0; i < zone.length; i++) text[at++] = zone.charCodeAt(i);
    message.timestamp = text;
    message.timestampStart = 0;
    message.timestampEnd = at;
  }
}

function setInPlace(message: Message, start: number, end: number): void {
  message.timestamp = message.header;
  message.timestampStart = start;
  message.timestampEnd = end;
}
