export interface Sample {
  title: string;
  message: string;
  /** Goes straight to syslogger: rsyslogd would rewrite it on the way. */
  direct?: boolean;
}

/** What machines send, good and bad. */
export const samples: Sample[] = [
  {
    title: 'RFC 3164, from a web server',
    message: `<190>${rfc3164Time()} web01 nginx: 203.0.113.9 "GET /broadband HTTP/1.1" 200 5124`,
  },
  {
    title: 'RFC 3164, with a process id',
    message: `<86>${rfc3164Time()} web01 sshd[4123]: Accepted publickey for deploy from 203.0.113.9`,
  },
  {
    title: 'RFC 5424, with structured data',
    message: `<165>1 ${new Date().toISOString()} shop.example.com checkout 977 ID47 [order@32473 id="8841" currency="GBP" note="said \\"thanks\\""] Order placed`,
    direct: true,
  },
  {
    title: 'UTF-8',
    message: `<14>${rfc3164Time()} web02 app[7]: Zoë bought a café crème ☕ for 3 €`,
  },
  {
    title: 'several kilobytes',
    message: `<11>${rfc3164Time()} web02 java[314]: Exception: ${stackTrace(60)}`,
  },
  {
    title: 'no syslog at all',
    message: 'Segmentation fault (core dumped)',
    direct: true,
  },
];

function rfc3164Time(): string {
  const now = new Date();
  const month = now.toLocaleString('en-US', { month: 'short' });
  const day = String(now.getDate()).padStart(2, ' ');
  return `${month} ${day} ${now.toTimeString().slice(0, 8)}`;
}

function stackTrace(depth: number): string {
  const frame = (_: unknown, line: number) =>
    `at com.example.shop.basket.BasketService.add(BasketService.java:${line + 1})`;
  return Array.from({ length: depth }, frame).join(' ');
}
