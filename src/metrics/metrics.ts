import process from 'node:process';
import type { Forwarder } from '../forward/forwarder.ts';
import type { Ledger } from '../forward/ledger.ts';
import type { Sink } from '../forward/sink.ts';
import type { Health } from '../health.ts';
import type { Histogram } from '../histogram.ts';
import type { ListenerStatus, Listeners } from '../input/listeners.ts';
import type { RiemannClient } from '../riemann/client.ts';
import { COMMIT, VERSION } from '../version.ts';
import type { Labelled, Metric } from './registry.ts';

/** Told once, since the clock may be set meanwhile. */
const STARTED_AT = Math.round(Date.now() / 1000 - process.uptime());
const STATES = ['ok', 'warning', 'critical'];

/** What is measured. */
export interface Measured {
  ledger: Ledger;
  forwarder: Forwarder;
  listeners: Listeners;
  sink: Sink;
  health: Health;
}

/** Every metric of the daemon's, counted where the work is done and read only when asked for. */
export function createMetrics(measured: Measured): Metric[] {
  const { ledger, forwarder, listeners, sink, health } = measured;
  return [
    {
      ...gauge('syslogger_info', 'Always 1; the labels tell the version.', () => 1),
      labels: { version: VERSION, commit: COMMIT },
    },
    gauge('syslogger_connections', 'Connections that are open.', () => listeners.open),
    counter(
      'syslogger_connections_accepted_total',
      'Connections accepted.',
      () => listeners.accepted,
    ),
    counter(
      'syslogger_messages_received_total',
      'Messages taken from senders; a part of a long one counts as one.',
      () => ledger.received,
    ),
    counter(
      'syslogger_messages_acknowledged_total',
      'Messages that Kafka has acknowledged.',
      () => ledger.acknowledged,
    ),
    counter(
      'syslogger_messages_forgotten_total',
      'Messages received over RELP and given back when the connection ended; the sender has them.',
      () => ledger.forgotten,
    ),
    counter(
      'syslogger_messages_unparsed_total',
      'Messages that could not be read as what they claim to be; delivered all the same.',
      () => ledger.unparsed,
    ),
    counter(
      'syslogger_messages_in_parts_total',
      'Messages that are part of a longer one.',
      () => ledger.parts,
    ),
    counter(
      'syslogger_received_bytes_total',
      'Bytes of the messages received, without their framing.',
      () => ledger.receivedBytes,
    ),
    counter('syslogger_retries_total', 'Batches that were sent again.', () => sink.retries),
    gauge(
      'syslogger_unacknowledged_messages',
      'Messages received that Kafka has not acknowledged yet.',
      () => forwarder.messagesInFlight,
    ),
    gauge(
      'syslogger_unacknowledged_bytes',
      'The size of the batches that hold them.',
      () => forwarder.bytesInFlight,
    ),
    histogram(
      'syslogger_produce_latency_seconds',
      'Time from sending a batch to its acknowledgement, with all retries.',
      forwarder.latency,
    ),
    histogram('syslogger_batch_messages', 'Messages in a batch.', forwarder.batchSize),
    gauge(
      'syslogger_last_acknowledgement_age_seconds',
      'Time since the last acknowledgement, or since the start.',
      () => forwarder.sinceAcknowledgedMs / 1000,
    ),
    gauge(
      'syslogger_oldest_unacknowledged_seconds',
      'For how long the oldest batch has been waiting for its acknowledgement; 0 if none is.',
      () => forwarder.oldestMs / 1000,
    ),
    gauge(
      'syslogger_state',
      '0 ok, 1 warning, 2 critical: as the state that Riemann is told.',
      () => STATES.indexOf(health.delivery().state),
    ),
    gauge(
      'syslogger_stalled_seconds',
      'For how long nothing at all could be delivered; 0 while all is well.',
      () => health.delivery().stalledMs / 1000,
    ),
    gauge('syslogger_ready', '1 while it listens and messages are delivered, else 0.', () =>
      health.unreadiness() === undefined ? 1 : 0,
    ),
    ...listenerMetrics(listeners),
    gauge('process_resident_memory_bytes', 'Physical memory of the process.', () =>
      process.memoryUsage.rss(),
    ),
    counter('process_cpu_seconds_total', 'Processor time of the process.', () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    }),
    gauge(
      'process_start_time_seconds',
      'When the process was started, in seconds since 1970.',
      () => STARTED_AT,
    ),
  ];
}

/** What each listener counts, with its address as a label. */
function listenerMetrics(listeners: Listeners): Metric[] {
  const each = (read: (status: ListenerStatus) => number | undefined) => () =>
    listeners.status().flatMap((status): Labelled[] => {
      const value = read(status);
      return value === undefined ? [] : [{ labels: { listener: status.listener }, value }];
    });
  return [
    counter(
      'syslogger_listener_messages_received_total',
      'Messages taken through this listener.',
      each(({ received }) => received),
    ),
    gauge(
      'syslogger_listener_connections',
      'Connections to this listener that are open.',
      each(({ connections }) => connections?.open),
    ),
    counter(
      'syslogger_listener_connections_accepted_total',
      'Connections that this listener has accepted.',
      each(({ connections }) => connections?.accepted),
    ),
    counter(
      'syslogger_listener_connections_refused_total',
      'Connections refused: too many, no handshake of TLS, or no certificate that may come.',
      each(({ connections }) => connections?.refused),
    ),
    counter(
      'syslogger_listener_connections_dropped_total',
      'Connections dropped, since no whole message came in time.',
      each(({ connections }) => connections?.dropped),
    ),
    counter(
      'syslogger_listener_datagrams_lost_total',
      'Datagrams thrown away, since they came faster than Kafka took them.',
      each(({ lost }) => lost),
    ),
  ];
}

/** What the Riemann client counts. */
export function riemannMetrics(client: RiemannClient): Metric[] {
  const { counts } = client;
  return [
    counter(
      'syslogger_riemann_events_sent_total',
      'Events that Riemann has taken.',
      () => counts.sent,
    ),
    counter(
      'syslogger_riemann_events_lost_total',
      'Events that Riemann has refused, or that were thrown away while it was away.',
      () => counts.dropped + counts.refused,
    ),
    counter(
      'syslogger_riemann_failures_total',
      'Connections to Riemann, and requests, that failed.',
      () => counts.failures,
    ),
  ];
}

function counter(name: string, help: string, read: Metric['read']): Metric {
  return { name, help, kind: 'counter', read };
}

function gauge(name: string, help: string, read: Metric['read']): Metric {
  return { name, help, kind: 'gauge', read };
}

function histogram(name: string, help: string, values: Histogram): Metric {
  return { name, help, kind: 'histogram', read: () => values };
}
