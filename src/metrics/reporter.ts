import type { Delivery } from '../health.ts';
import { Histogram } from '../histogram.ts';
import type { RiemannEvent } from '../riemann/protocol.ts';
import { eachOf, type Labelled, type Metric, measure } from './registry.ts';

/** The service whose events say how the daemon is. */
export const STATE_SERVICE = 'syslogger kafka';
/** An event that says that the daemon was stopped on purpose shall not expire soon, in s. */
const STOPPED_TTL = 7 * 86_400;

const QUANTILES = [
  ['p50', 0.5],
  ['p99', 0.99],
] as const;

/** What the reporter reports, to whom and as whom. */
export interface ReporterOptions {
  metrics: readonly Metric[];
  delivery: () => Delivery;
  /** Takes the events; must not wait. */
  send: (events: RiemannEvent[]) => void;
  intervalMs: number;
  host: string;
  /** What every event tells as well. */
  attributes: Readonly<Record<string, string>>;
}

/** Makes Riemann events of the metrics, at an interval. */
export class Reporter {
  private readonly options: ReporterOptions;
  private readonly totals = new Map<string, number>();
  private reportedAt = performance.now();
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: ReporterOptions) {
    this.options = options;
  }

  /** Reports now, and from now on at the interval. */
  start(): void {
    this.report();
    this.timer = setInterval(() => this.report(), this.options.intervalMs);
  }

  /**
   * Reports a last time, and that this is the end.
   * @param isClean it was asked to stop, and nothing is left: nobody need be called
   * @param description for people: how it ended
   */
  stop(isClean: boolean, description: string): void {
    clearInterval(this.timer);
    this.report();
    const state = isClean ? { state: 'stopped', ttl: STOPPED_TTL } : { state: 'critical' };
    this.options.send([{ ...this.event(STATE_SERVICE, 0), ...state, description }]);
  }

  private report(): void {
    const now = performance.now();
    const seconds = (now - this.reportedAt) / 1000;
    this.reportedAt = now;
    const { state, description, stalledMs } = this.options.delivery();
    this.options.send([
      ...this.options.metrics.flatMap((metric) => this.eventsOf(metric, seconds)),
      { ...this.event(STATE_SERVICE, stalledMs / 1000), state, description },
    ]);
  }

  private eventsOf(metric: Metric, seconds: number): RiemannEvent[] {
    const service = serviceOf(metric.name);
    const event = (what: string, value: number) =>
      this.event(`${service}${what}`, value, metric.labels);
    const value = measure(metric);
    if (value === undefined) return [];
    if (value instanceof Histogram) {
      const window = value.takeWindow();
      if (window.count === 0) return [];
      const quantiles = QUANTILES.map(([name, q]) => event(` ${name}`, window.quantile(q)));
      return [...quantiles, event(' max', window.max)];
    }
    return eachOf(value).flatMap((one) => this.eventsOfOne(metric, one, seconds));
  }

  private eventsOfOne(
    metric: Metric,
    { labels, value }: Labelled,
    seconds: number,
  ): RiemannEvent[] {
    // Riemann tells events apart by host and service only.
    const which = Object.values(labels).map((label) => ` ${label}`);
    const event = (what: string, value: number) =>
      this.event([serviceOf(metric.name), what, ...which].join(''), value, {
        ...metric.labels,
        ...labels,
      });
    if (metric.kind === 'gauge') return [event('', value)];
    const key = [metric.name, ...which].join('');
    const before = this.totals.get(key);
    this.totals.set(key, value);
    const rate = before === undefined ? [] : [event(' rate', (value - before) / seconds)];
    return [event(' total', value), ...rate];
  }

  private event(
    service: string,
    metric: number,
    labels?: Readonly<Record<string, string>>,
  ): RiemannEvent {
    const { host, intervalMs, attributes } = this.options;
    const now = Date.now();
    return {
      time: Math.floor(now / 1000),
      timeMicros: now * 1000,
      host,
      service,
      metric,
      tags: ['syslogger'],
      ttl: (2 * intervalMs) / 1000,
      attributes: { ...attributes, ...labels },
    };
  }
}

/** A metric's name for Riemann: in words, and ours. */
function serviceOf(name: string): string {
  const words = name.replace(/_total$/, '').replaceAll('_', ' ');
  return words.startsWith('syslogger ') ? words : `syslogger ${words}`;
}
