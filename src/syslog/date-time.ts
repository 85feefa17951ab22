import { COLON, DASH, DOT, isDigit, PLUS, SPACE, UPPER_Z, ZERO } from './ascii.ts';

/** The pieces of dates and times, read from bytes at an offset. */

/** As many digits as nanoseconds need. */
export const MAX_FRACTION_DIGITS = 9;
/** The length of `YYYY-MM-DDThh:mm:ss`. */
export const DATE_TIME_LENGTH = 19;

const UTC = wordKey('UTC');
const GMT = wordKey('GMT');

/** `YYYY-MM-DD`, a day that exists */
export function isDate(bytes: Uint8Array, at: number, end: number): boolean {
  if (at + DATE_TIME_LENGTH > end || bytes[at + 4] !== DASH || bytes[at + 7] !== DASH) return false;
  const century = number2(bytes, at);
  const year = number2(bytes, at + 2);
  const month = number2(bytes, at + 5);
  const day = number2(bytes, at + 8);
  if (century < 0 || year < 0 || month < 1 || month > 12) return false;
  return day >= 1 && day <= daysIn(month, century * 100 + year);
}

/** `hh:mm:ss` */
export function isTime(bytes: Uint8Array, at: number, end: number): boolean {
  if (at + 8 > end || bytes[at + 2] !== COLON || bytes[at + 5] !== COLON) return false;
  const hour = number2(bytes, at);
  const minute = number2(bytes, at + 3);
  const second = number2(bytes, at + 6);
  return hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60;
}

/** Skips `.` and its digits; returns `at` where there are none. */
export function skipFraction(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end || bytes[at] !== DOT) return at;
  let next = at + 1;
  while (next < end && next <= at + MAX_FRACTION_DIGITS && isDigit(bytes[next])) next++;
  return next > at + 1 ? next : at;
}

/** Skips `Z`, `±hh:mm` or `±hhmm`; returns `at` where there is none. */
export function skipOffset(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return at;
  if (bytes[at] === UPPER_Z) return at + 1;
  if (bytes[at] !== PLUS && bytes[at] !== DASH) return at;
  const hour = number2(bytes, at + 1);
  const minuteAt = bytes[at + 3] === COLON ? at + 4 : at + 3;
  const minute = number2(bytes, minuteAt);
  if (minuteAt + 2 > end || hour < 0 || hour > 23 || minute < 0 || minute > 59) return at;
  return minuteAt + 2;
}

/** Whether a timestamp may end here: at a space, the end, or a colon where that is allowed. */
export function isBoundary(bytes: Uint8Array, at: number, end: number, orColon: boolean): boolean {
  return at === end || (at < end && (bytes[at] === SPACE || (orColon && bytes[at] === COLON)));
}

/** What may follow a year: not the rest of an address like `2001:db8::1`. */
export function endsYear(bytes: Uint8Array, at: number, end: number): boolean {
  if (at < end && bytes[at] === COLON) return isBoundary(bytes, at + 1, end, false);
  return isBoundary(bytes, at, end, false);
}

/** ` UTC:` or ` GMT:` */
export function isUtcMark(bytes: Uint8Array, at: number, end: number): boolean {
  if (at + 5 > end || bytes[at] !== SPACE || bytes[at + 4] !== COLON) return false;
  const key = keyAt(bytes, at + 1);
  return key === UTC || key === GMT;
}

/** A year that syslog can mean, 1970–2099, or 0. */
export function yearAt(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 > end) return 0;
  const century = number2(bytes, at);
  const year = number2(bytes, at + 2);
  if (year < 0) return 0;
  return century === 20 || (century === 19 && year >= 70) ? century * 100 + year : 0;
}

/** How many days a month (1–12) has in a year. */
export function daysIn(month: number, year: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Two digits as a number, or -1. */
export function number2(bytes: Uint8Array, at: number): number {
  const tens = bytes[at] - ZERO;
  const ones = bytes[at + 1] - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

/** Three bytes as one number, to compare words. */
export function keyAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
}

/** The same for a word of three ASCII letters. */
export function wordKey(word: string): number {
  return (word.charCodeAt(0) << 16) | (word.charCodeAt(1) << 8) | word.charCodeAt(2);
}
