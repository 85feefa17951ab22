export type Format = 'rfc3164' | 'rfc5424';

const hosts = ['web01', 'web02', 'cache-7.example.net', 'db1', '2001:db8::17'];
const paths = ['/', '/login', '/static/app.js', '/api/v2/tariffs', '/broadband/compare'];
const agents = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  'curl/8.5.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15',
];
const messages = [
  (n: number) =>
    `10.1.${n % 256}.7 "GET ${pick(paths, n)}?page=${n % 97} HTTP/1.1" 200 ${n % 50_000} "${pick(agents, n)}"`,
  (n: number) => `pam_unix(cron:session): session opened for user www-data by (uid=${n % 100})`,
  (n: number) => `connection from "client ${n % 1000}" – naïve café ☕ accepted in ${n % 31} ms`,
  (n: number) => `upstream timed out [110] while reading {"status":${n % 600}} C:\\logs\\${n % 9}`,
];
const tags: [name: string, pid: boolean][] = [
  ['nginx', false],
  ['varnishncsa', true],
  ['postfix/smtpd', true],
  ['app', true],
];

/**
 * A syslog message of about 120 to 300 bytes without its framing. The same number gives the same
 * text every time, and holds it as `seq=`, from which `checkNumbered` reads it.
 */
export function numberedLine(n: number, format: Format = 'rfc3164'): string {
  const pri = `<${(n * 7) % 192}>`;
  const host = pick(hosts, n);
  const [tag, pid] = pick(tags, n >> 1);
  const text = `seq=${n} ${pick(messages, n)(n)} ${'.'.repeat(40 + (n % 80))}`;
  if (format === 'rfc3164') {
    return `${pri}Oct 11 22:14:${two(n)} ${host} ${tag}${pid ? `[${n % 32_768}]` : ''}: ${text}`;
  }
  const data = n % 3 === 0 ? `[request@32473 id="${n}" path="${pick(paths, n)}"]` : '-';
  const time = `2026-10-11T22:14:${two(n)}.${String(n % 1000).padStart(3, '0')}Z`;
  return `${pri}1 ${time} ${host} ${tag} ${pid ? n % 32_768 : '-'} - ${data} ${text}`;
}

export interface Checked {
  /** Numbers that no value holds. */
  missing: number[];
  /** Numbers that several values hold. */
  repeated: number[];
}

/** Which of the numbers 0 … n-1 are not among the values exactly once, by the `seq=` in each. */
export function checkNumbered(values: Iterable<Buffer>, n: number): Checked {
  const seen = new Uint8Array(n);
  for (const value of values) {
    const number = sequence(value);
    if (number >= n) throw new Error(`nobody sent this: ${value.toString()}`);
    if (seen[number] < 2) seen[number]++;
  }
  const missing: number[] = [];
  const repeated: number[] = [];
  for (let number = 0; number < n; number++) {
    if (seen[number] === 0) missing.push(number);
    if (seen[number] > 1) repeated.push(number);
  }
  return { missing, repeated };
}

/** The number in a line of `numberedLine`, or in any document made of one. */
export function sequence(value: Buffer): number {
  const mark = value.indexOf('seq=');
  if (mark < 0) throw new Error(`no number in: ${value.toString()}`);
  let number = 0;
  for (let at = mark + 4; value[at] >= 0x30 && value[at] <= 0x39; at++) {
    number = number * 10 + value[at] - 0x30;
  }
  return number;
}

const pick = <T>(list: T[], n: number): T => list[n % list.length];
const two = (n: number) => String(n % 60).padStart(2, '0');
