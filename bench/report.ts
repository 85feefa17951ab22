import type { Named, Results } from './cases.ts';
import type { Limit } from './limits.ts';
import type { Throughput } from './throughput.ts';

const MEGABYTE = 1_000_000;

/** The results as Markdown tables, with a sentence for each comparison. */
export function report(results: Partial<Results>, limits: Limit[]): string {
  const { throughput, paced, kinds, watched, relp, latency, start } = results;
  return [
    throughput && describeThroughput(throughput),
    paced && describePaced(paced),
    kinds && describeKinds(kinds),
    watched && describeWatched(watched),
    relp && describeRelp(relp),
    latency && describeLatency(latency),
    start && describeStart(start),
    describeLimits(limits),
  ]
    .filter((text) => text !== undefined)
    .join('\n\n');
}

const THROUGHPUT_HEAD = ['messages/s', 'slowest–fastest round', 'CPU µs a message', 'peak MB'];

function describeThroughput(cases: Results['throughput']): string {
  const rows = cases.flatMap(({ connections, figures }) =>
    figures.map((one) => [number(connections), one.forwarder, ...throughputCells(one)]),
  );
  return [
    '### As fast as it goes',
    table(['connections', 'forwarder', ...THROUGHPUT_HEAD], rows),
    ...cases.map(({ connections, figures }) =>
      verdict(`${number(connections)} connections`, figures),
    ),
  ].join('\n');
}

function describePaced(cases: Results['paced']): string {
  const rows = cases.flatMap(({ connections, rate, figures }) =>
    figures.map((one) => [
      number(connections),
      number(rate),
      one.forwarder,
      one.cpuMicros.toFixed(2),
      megabytes(one.peakMemory),
    ]),
  );
  const head = ['connections', 'messages/s sent', 'forwarder', 'CPU µs a message', 'peak MB'];
  return ['### At an even rate', table(head, rows)].join('\n');
}

function describeKinds(cases: Results['kinds']): string {
  const [plain] = cases;
  const rows = cases.map(({ kind, figures }) => [
    kind,
    ...throughputCells(figures).slice(0, -1),
    (figures.cpuMicros / plain.figures.cpuMicros).toFixed(2),
  ]);
  return [
    '### What a line holds (syslogger, one connection, lines of 220 bytes)',
    table(['lines', ...THROUGHPUT_HEAD.slice(0, -1), 'CPU, of plain'], rows),
  ].join('\n');
}

function describeWatched(figures: Results['watched']): string {
  const rows = figures.map((one) => [one.forwarder, ...throughputCells(one)]);
  return [
    '### Looked at every second: the admin page read, events sent to Riemann (100 connections)',
    table(['forwarder', ...THROUGHPUT_HEAD], rows),
  ].join('\n');
}

function describeRelp(figures: Results['relp']): string {
  const rows = figures.map((one) => [one.forwarder, ...throughputCells(one)]);
  return [
    '### RELP, from an rsyslog with omrelp and a window of 1,024',
    table(['forwarder', ...THROUGHPUT_HEAD], rows),
    verdict('RELP', figures),
  ].join('\n');
}

function describeLatency(cases: Results['latency']): string {
  const rows = cases.map(({ forwarder, p50, p99 }) => [forwarder, p50.toFixed(2), p99.toFixed(2)]);
  const [ours, ...theirs] = cases;
  return [
    '### A lone message, from its write to its being readable in Kafka',
    table(['forwarder', 'p50 ms', 'p99 ms'], rows),
    ...theirs.map(({ forwarder, p99 }) => {
      const ahead = ours.p99 <= p99 ? 'syslogger is ahead' : `${forwarder} is ahead`;
      return `${ahead}: a p99 of ${(ours.p99 / p99).toFixed(2)} times that of ${forwarder}.`;
    }),
  ].join('\n');
}

function describeStart(cases: Results['start']): string {
  const rows = cases.map(({ forwarder, medianMs, slowestMs, idleMemory }) => [
    forwarder,
    medianMs.toFixed(0),
    slowestMs.toFixed(0),
    megabytes(idleMemory),
  ]);
  const head = ['forwarder', 'start to listening, ms', 'slowest', 'memory at rest, MB'];
  return ['### Start', table(head, rows)].join('\n');
}

function describeLimits(limits: Limit[]): string {
  const rows = limits.map(({ what, value, atLeast, atMost, isKept }) => [
    what,
    value.toFixed(2),
    atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`,
    isKept ? 'kept' : 'MISSED',
  ]);
  const missed = limits.filter(({ isKept }) => !isKept).length;
  const sum = missed === 0 ? 'All limits are kept.' : `Limits missed: ${missed}.`;
  return ['### Limits', table(['what', 'measured', 'limit', ''], rows), sum].join('\n');
}

function verdict(what: string, [ours, theirs]: Named<Throughput>[]): string {
  const rate = ours.messagesPerSecond / theirs.messagesPerSecond;
  const cpu = ours.cpuMicros / theirs.cpuMicros;
  const ahead = rate >= 1 ? 'syslogger is ahead' : 'rsyslog is ahead';
  return (
    `${what}: ${ahead}, syslogger has ${rate.toFixed(2)} times rsyslog's messages/s, ` +
    `${cpu.toFixed(2)} times its CPU a message, ` +
    `${(ours.peakMemory / theirs.peakMemory).toFixed(2)} times its peak memory ` +
    '(its queues are as large as makes it fast).'
  );
}

function throughputCells({
  messagesPerSecond,
  slowest,
  fastest,
  cpuMicros,
  peakMemory,
}: Throughput): string[] {
  return [
    number(messagesPerSecond),
    `${number(slowest)}–${number(fastest)}`,
    cpuMicros.toFixed(2),
    megabytes(peakMemory),
  ];
}

function megabytes(bytes: number): string {
  return (bytes / MEGABYTE).toFixed(0);
}

/** A whole number with commas, three digits of it that count. */
function number(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en');
}

function table(head: string[], rows: string[][]): string {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i].length)),
  );
  const line = (cells: string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return `\n${[line(head), rule, ...rows.map(line)].join('\n')}\n`;
}
