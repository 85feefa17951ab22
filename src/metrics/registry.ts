import { Histogram } from '../histogram.ts';

/** Something that is measured. */
export interface Metric {
  /**
   * Its name for Prometheus: `syslogger_`, what it is, its unit if that is not in it, and `_total`
   * for a counter (Prometheus, "Metric and label naming").
   */
  name: string;
  /** For people: what it means, in one sentence. */
  help: string;
  kind: 'counter' | 'gauge' | 'histogram';
  labels?: Readonly<Record<string, string>>;
  /** What it is now: a histogram's values, a number, or one for each of several things. */
  read(): Value;
}

export type Value = number | Histogram | readonly Labelled[];

/** What a metric is for one of several things, which the labels name. */
export interface Labelled {
  labels: Readonly<Record<string, string>>;
  value: number;
}

/**
 * What a metric is now; undefined where it can't be had: without a free file descriptor the system
 * tells nothing of a process.
 */
export function measure({ read }: Metric): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** The metrics as a page for Prometheus (its text format 0.0.4). */
export function formatPrometheus(metrics: readonly Metric[]): string {
  return metrics.map(formatMetric).join('');
}

/** The media type of {@link formatPrometheus}. */
export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

function formatMetric(metric: Metric): string {
  const { name, help, kind, labels = {} } = metric;
  const value = measure(metric);
  if (value === undefined) return '';
  const samples =
    value instanceof Histogram
      ? [
          ...value
            .buckets()
            .map(({ bound, count }) =>
              sample(`${name}_bucket`, { ...labels, le: String(bound) }, count),
            ),
          sample(`${name}_bucket`, { ...labels, le: '+Inf' }, value.count),
          sample(`${name}_sum`, labels, value.sum),
          sample(`${name}_count`, labels, value.count),
        ]
      : eachOf(value).map((one) => sample(name, { ...labels, ...one.labels }, one.value));
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${kind}\n${samples.join('')}`;
}

/** A number alone has no labels of its own. */
export function eachOf(value: number | readonly Labelled[]): readonly Labelled[] {
  return typeof value === 'number' ? [{ labels: {}, value }] : value;
}

function sample(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}\n`;
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
