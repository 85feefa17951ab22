const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const DATE = '(?<year>\\d{4})-(?<month>\\d\\d)-(?<day>\\d\\d)';
const TIME = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)(?<fraction>\\.\\d{1,9})?';
const ZONE = '(?<sign>[+-])(?<zoneHour>\\d\\d)(?<colon>:?)(?<zoneMinute>\\d\\d)';

const YEAR = '19[7-9]\\d|20\\d\\d';
/** What follows a year: not the rest of an IPv6 address. */
const AFTER_YEAR = '(?= |:(?: |$)|$)';
/** What follows a timestamp: a host name, or a colon where there is none. */
const END = '(?=[ :]|$)';

const RFC3339 = new RegExp(`^${DATE}T${TIME}(?:Z|${ZONE})$`);
const ISO = new RegExp(`^${DATE}[T ]${TIME}(?<zone>Z|${ZONE})?${END}`);
const MONTH_AND_DAY = `(?<name>${MONTHS.join('|')}) (?<day> ?\\d{1,2})`;
const CISCO_UTC = '(?<utc> (?:UTC|GMT)(?=:))?';
const YEAR_BEFORE = new RegExp(`^${MONTH_AND_DAY} (?<year>${YEAR}) ${TIME}${CISCO_UTC}${END}`);
const YEAR_AFTER = new RegExp(
  `^${MONTH_AND_DAY} ${TIME}(?: (?<year>${YEAR})${AFTER_YEAR})?${CISCO_UTC}${END}`,
);

type Groups = Record<string, string | undefined>;

/** RFC 5424's timestamp: RFC 3339, no leap second, at most nine digits of a second. */
export function isRfc3339(text: string): boolean {
  const groups = RFC3339.exec(text)?.groups;
  return groups !== undefined && groups.colon !== '' && inRange(groups);
}

/**
 * The timestamp at the beginning of a text, as RFC 3339, and how long it was. What it does not say
 * is taken from here: the year that puts it nearest to now, and our time zone.
 */
export function localTimestamp(
  text: string,
  now: number,
): { timestamp: string; length: number } | undefined {
  const match = ISO.exec(text) ?? YEAR_BEFORE.exec(text) ?? YEAR_AFTER.exec(text);
  const groups: Groups | undefined = match?.groups;
  if (!match || !groups) return undefined;
  if (groups.name) {
    groups.month = String(MONTHS.indexOf(groups.name) + 1).padStart(2, '0');
    groups.day = groups.day?.trim().padStart(2, '0');
    groups.year ??= nearestYear(groups, now);
  }
  if (!inRange(groups)) return undefined;
  // There was none: it stays only where nothing has to be made of it.
  if (groups.year === '0000' && !isRfc3339(match[0])) return undefined;
  const { year, month, day, hour, minute, second, fraction = '' } = groups;
  const zone = zoneAsSent(groups) ?? offset(instant(groups));
  return {
    timestamp: `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}${zone}`,
    length: match[0].length,
  };
}

function zoneAsSent({ zone, sign, zoneHour, zoneMinute, utc }: Groups): string | undefined {
  if (utc) return 'Z';
  return sign ? `${sign}${zoneHour}:${zoneMinute}` : zone;
}

function inRange(groups: Groups): boolean {
  const { year, month, day, hour, minute, second, zoneHour, zoneMinute } = groups;
  return (
    Number(month) >= 1 &&
    Number(month) <= 12 &&
    Number(day) >= 1 &&
    Number(day) <= daysIn(Number(year), Number(month)) &&
    Number(hour) <= 23 &&
    Number(minute) <= 59 &&
    Number(second) <= 59 &&
    Number(zoneHour ?? 0) <= 23 &&
    Number(zoneMinute ?? 0) <= 59
  );
}

function daysIn(year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
}

/** Eight years to each side, because there may be no 29 February for so long. */
function nearestYear(groups: Groups, now: number): string {
  const { month, day } = groups;
  const thisYear = new Date(now).getFullYear();
  const distance = (year: number) =>
    Math.abs(instant({ ...groups, year: String(year) }).getTime() - now);
  const years = Array.from({ length: 17 }, (_, i) => thisYear - 8 + i)
    .filter((year) => Number(day) <= daysIn(year, Number(month)))
    .sort((a, b) => distance(a) - distance(b));
  return String(years[0] ?? thisYear);
}

function instant({ year, month, day, hour, minute, second, utc }: Groups): Date {
  const date = [Number(year), Number(month) - 1, Number(day)] as const;
  const time = [Number(hour), Number(minute), Number(second)] as const;
  return utc ? new Date(Date.UTC(...date, ...time)) : new Date(...date, ...time);
}

/** The offset of our time zone at that time. */
function offset(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  if (minutes === 0) return 'Z';
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(size / 60)}:${two(size % 60)}`;
}
