import { daysIn } from './date-time.ts';

/** How long what was read is good: a year that was guessed may have become another. In ms. */
const LIFETIME = 3_600_000;
/** Far enough for 29 February, which can be eight years away. */
const MAX_YEAR_DISTANCE = 8;

/** An hour of some day as messages gave it, and what it was read as. */
export interface Hour {
  /** What the messages gave, as one number. */
  key: number;
  /** ms since 1970 */
  readAt: number;
  /** `YYYY-MM-DDThh` */
  text: Uint8Array;
  zone: string;
}
/** No message gives this one. */
export const NO_HOUR: Hour = { key: -1, readAt: 0, text: new Uint8Array(0), zone: '' };

/** Whether it can be used as it was read. */
export function isFresh(hour: Hour, now: number): boolean {
  return Math.abs(now - hour.readAt) < LIFETIME;
}

/**
 * Reads an hour in the daemon's time zone, or in UTC.
 * @param year 0 where none was given: the one that puts it nearest to `now`, ms since 1970
 * @returns undefined if there is no such day
 */
export function readHour(
  key: number,
  now: number,
  year: number,
  month: number,
  day: number,
  hour: number,
  isUtc: boolean,
): Hour | undefined {
  const toDate = (y: number) =>
    isUtc ? new Date(Date.UTC(y, month - 1, day, hour)) : new Date(y, month - 1, day, hour);
  const realYear = year > 0 ? year : nearestYear(month, day, now, toDate);
  if (realYear < 0 || day > daysIn(month, realYear)) return undefined;
  return {
    key,
    readAt: now,
    text: new TextEncoder().encode(`${pad(realYear, 4)}-${pad(month)}-${pad(day)}T${pad(hour)}`),
    zone: offsetText(isUtc ? 0 : -toDate(realYear).getTimezoneOffset()),
  };
}

function nearestYear(
  month: number,
  day: number,
  now: number,
  toDate: (year: number) => Date,
): number {
  const thisYear = new Date(now).getFullYear();
  let nearest = -1;
  let distance = Number.POSITIVE_INFINITY;
  for (let away = 0; away <= MAX_YEAR_DISTANCE && (away < 2 || nearest < 0); away++) {
    for (const year of [thisYear - away, thisYear + away]) {
      if (day > daysIn(month, year)) continue;
      const gap = Math.abs(toDate(year).getTime() - now);
      if (gap < distance) {
        distance = gap;
        nearest = year;
      }
    }
  }
  return nearest;
}

function offsetText(minutes: number): string {
  if (minutes === 0) return 'Z';
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}

function pad(value: number, length = 2): string {
  return String(value).padStart(length, '0');
}
