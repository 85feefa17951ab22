import { afterAll, expect, test } from 'bun:test';
import { Message } from '../../src/syslog/message.ts';
import { parse } from '../../src/syslog/parse.ts';
import { TimestampReader } from '../../src/syslog/timestamp.ts';

afterAll(() => {
  process.env.TZ = 'UTC';
});

const NOW = '2026-10-15T12:00:00Z';

/** Zone, now, what is sent, what comes of it. */
const CASES: [zone: string, now: string, sent: string, expected: string][] = [
  ['Europe/London', NOW, 'Oct 11 22:14:15', '2026-10-11T22:14:15+01:00'],
  ['Europe/London', NOW, 'Nov 11 22:14:15.123456', '2026-11-11T22:14:15.123456Z'],
  ['America/New_York', NOW, 'Oct 11 22:14:15', '2026-10-11T22:14:15-04:00'],
  ['America/New_York', NOW, 'Nov  1 00:59:59', '2026-11-01T00:59:59-04:00'],
  ['America/New_York', NOW, 'Nov  1 03:00:00', '2026-11-01T03:00:00-05:00'],
  ['Asia/Kolkata', NOW, '2026-10-11 22:14:15', '2026-10-11T22:14:15+05:30'],
  ['Asia/Kolkata', NOW, '2026-10-11T22:14:15.5-0330', '2026-10-11T22:14:15.5-03:30'],
  ['Pacific/Auckland', '2026-12-31T23:00:00Z', 'Jan  1 12:00:00', '2027-01-01T12:00:00+13:00'],
  ['UTC', '2027-01-01T00:00:01Z', 'Dec 31 23:59:59', '2026-12-31T23:59:59Z'],
  ['UTC', '2026-12-31T23:59:59Z', 'Jan  1 00:00:00', '2027-01-01T00:00:00Z'],
  ['UTC', NOW, 'Feb 29 12:00:00', '2028-02-29T12:00:00Z'],
  ['UTC', '2101-03-01T00:00:00Z', 'Feb 29 12:00:00', '2104-02-29T12:00:00Z'],
];

for (const [timeZone, now, sent, expected] of CASES) {
  test(`${sent} in ${timeZone} at ${now} is ${expected}`, () => {
    process.env.TZ = timeZone;
    expect(read(new TimestampReader(), sent, now)).toBe(expected);
  });
}

test('minutes and seconds follow within the hour', () => {
  process.env.TZ = 'Asia/Kolkata';
  const times = ['22:14:15', '22:14:16', '22:59:00', '23:00:00', '22:00:01'];
  const reader = new TimestampReader();
  const stamps = times.map((time) => read(reader, `Oct 11 ${time}`, NOW));
  expect(stamps).toEqual(times.map((time) => `2026-10-11T${time}+05:30`));
});

function read(reader: TimestampReader, sent: string, now: string): string {
  const message = new Message();
  const bytes = Buffer.from(`<13>${sent} host app: text`);
  const frame = { bytes, start: 0, end: bytes.length, part: 0, promised: 0, arrived: 0 };
  parse(message, frame, Date.parse(now), reader);
  const { timestamp, timestampStart, timestampEnd } = message;
  return Buffer.from(timestamp.subarray(timestampStart, timestampEnd)).toString();
}
