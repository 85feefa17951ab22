/** Log lines of our own making, as real senders write them, 120 to 300 bytes long. */

/** A line of RFC 3164 or RFC 5424 without its line end; the same number gives the same line. */
type Line = (n: number) => string;

const sshd: Line = (n) =>
  pick(
    [
      () =>
        `<38>${time3164(n)} bastion-${n % 7} sshd[${pid(n)}]: Accepted publickey for deploy from ` +
        `10.${n % 200}.${n % 250}.${n % 254} port ${40_000 + (n % 20_000)} ssh2: ` +
        `ED25519 SHA256:${token(n, 43)}`,
      () =>
        `<38>${time3164(n)} bastion-${n % 7} sshd[${pid(n)}]: Failed password for invalid user ` +
        `${pick(USERS, n)} from 203.0.113.${n % 254} port ${30_000 + (n % 30_000)} ssh2`,
      () =>
        `<86>${time3164(n)} bastion-${n % 7} sshd[${pid(n)}]: pam_unix(sshd:session): session ` +
        `opened for user ${pick(USERS, n)}(uid=${1000 + (n % 90)}) by (uid=0)`,
    ],
    n,
  )();

const nginxAccess: Line = (n) =>
  `<190>${time3164(n)} web-${n % 40} nginx: 198.51.100.${n % 254} - - ` +
  `[${two(1 + (n % 28))}/Nov/2026:22:14:${two(n % 60)} +0000] ` +
  `"GET ${pick(PATHS, n)}?page=${n % 97} HTTP/1.1" ${pick(STATUS, n)} ${(n * 37) % 90_000} ` +
  `"https://www.example.com/" "${pick(AGENTS, n)}"`;

const kernel: Line = (n) =>
  pick(
    [
      () =>
        `<4>${time3164(n)} node-${n % 90} kernel: [${uptime(n)}] iptables denied: IN=ens5 OUT= ` +
        `MAC=0a:1b:2c:3d:4e:${hex(n, 2)} SRC=192.0.2.${n % 254} DST=10.0.${n % 16}.${n % 250} ` +
        `LEN=${40 + (n % 1400)} TTL=${n % 255} ID=${(n * 17) % 65_536} PROTO=TCP ` +
        `SPT=${1024 + (n % 60_000)} DPT=${pick(PORTS, n)} SYN URGP=0`,
      () =>
        `<6>${time3164(n)} node-${n % 90} kernel: [${uptime(n)}] nvme nvme${n % 4}: I/O ` +
        `${n % 1024} QID ${n % 16} timeout, completion polled, controller is still alive`,
    ],
    n,
  )();

const structured: Line = (n) =>
  `<${128 + (n % 32)}>1 ${time5424(n)} api-${n % 25}.example.net checkout ${pid(n)} ` +
  `ID${n % 80} [request@32473 id="${hex(n * 7919, 16)}" method="POST" ` +
  `path="${pick(PATHS, n)}" ms="${n % 900}"][tenant@32473 name="${pick(USERS, n)}"] ` +
  `order ${n * 13} accepted, ${1 + (n % 9)} items, queued for payment`;

/** What the throughput is measured with: all of these in equal parts. */
const mixed: Line = (n) => [sshd, nginxAccess, kernel, structured][n % 4](n >> 2);

/** The same length for each, so that only what they hold differs. */
const EQUAL_LENGTH = 220;

const plain: Line = (n) =>
  fill(
    `<38>${time3164(n)} bastion-${n % 7} sshd[${pid(n)}]: `,
    'Accepted publickey for deploy from 10.0.0.1 port 40000 ssh2, session opened by uid 0 ',
  );

const structuredEqual: Line = (n) =>
  fill(
    `<165>1 ${time5424(n)} api-${n % 25} checkout ${pid(n)} ID${n % 80} ` +
      `[request@32473 id="${hex(n * 7919, 16)}" method="POST" path="/orders" ms="${n % 900}"] `,
    'order accepted, queued for payment ',
  );

const escaped: Line = (n) =>
  fill(
    `<38>${time3164(n)} api-${n % 25} checkout[${pid(n)}]: `,
    `{"level":"info","path":"C:\\\\logs\\\\${n % 9}","text":"say \\"hello\\"","ok":true}\t`,
  );

const utf8: Line = (n) =>
  fill(
    `<38>${time3164(n)} api-${n % 25} checkout[${pid(n)}]: `,
    'заказ принят и ждёт оплаты, 注文を受け付けました, naïve café ☕ – ',
  );

const KINDS = { mixed, plain, structured: structuredEqual, escaped, utf8 };

/** The name of a kind of lines. */
export type Kind = keyof typeof KINDS;

/** The first `count` lines of a kind, each with LF behind it. */
export function lines(kind: Kind, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, n) => new TextEncoder().encode(`${KINDS[kind](n)}\n`));
}

const USERS = ['admin', 'oracle', 'postgres', 'jenkins', 'ubuntu', 'git'];
const PATHS = ['/', '/login', '/static/app.7f3c.js', '/api/v2/tariffs', '/broadband/compare'];
const STATUS = [200, 200, 200, 304, 404, 502];
const PORTS = [22, 23, 445, 3389, 8080];
const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101',
  'curl/8.5.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)',
];
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Hosts' clocks differ a little; seconds pass. */
function time3164(n: number): string {
  return `Nov 25 22:${two(14 + (n % 2))}:${two((n >> 3) % 60)}`;
}

function time5424(n: number): string {
  return `2026-11-25T22:14:${two((n >> 3) % 60)}.${String((n * 7) % 1000).padStart(3, '0')}Z`;
}

function pid(n: number): number {
  return 300 + ((n * 31) % 32_000);
}

function uptime(n: number): string {
  return `${String(81_000 + n).padStart(6)}.${String((n * 97) % 1_000_000).padStart(6, '0')}`;
}

function hex(n: number, digits: number): string {
  return (n >>> 0).toString(16).padStart(digits, '0').slice(-digits);
}

function token(n: number, length: number): string {
  return Array.from({ length }, (_, i) => LETTERS[(n * (i + 3) + i * i) % 64]).join('');
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}

function pick<T>(list: T[], n: number): T {
  return list[n % list.length];
}

/** The head, and of the text again and again as much as makes {@link EQUAL_LENGTH} bytes. */
function fill(head: string, text: string): string {
  let line = head;
  const characters = [...text];
  let bytes = Buffer.byteLength(head);
  for (let i = 0; ; i++) {
    const character = characters[i % characters.length];
    bytes += Buffer.byteLength(character);
    if (bytes > EQUAL_LENGTH) break;
    line += character;
  }
  return line + '.'.repeat(EQUAL_LENGTH - Buffer.byteLength(line));
}
