import { hostname } from 'node:os';
import { formatAddress } from '../address.ts';
import { type Config, describeTarget, type RiemannTarget, type Target } from '../config/config.ts';
import { Forwarder } from '../forward/forwarder.ts';
import { Ledger } from '../forward/ledger.ts';
import type { Sink } from '../forward/sink.ts';
import { Health } from '../health.ts';
import { Listeners } from '../input/listeners.ts';
import type { Discovery } from '../kafka/cluster.ts';
import { KafkaSink } from '../kafka/sink.ts';
import type { Log } from '../log.ts';
import { createMetrics, riemannMetrics } from '../metrics/metrics.ts';
import type { Metric } from '../metrics/registry.ts';
import { Reporter } from '../metrics/reporter.ts';
import { RiemannClient } from '../riemann/client.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { StdoutSink } from '../stdout/sink.ts';
import { createFormat } from '../syslog/format.ts';
import { VERSION } from '../version.ts';
import { findBrokers } from '../zookeeper/brokers.ts';

/** How the daemon calls itself to Kafka. */
const CLIENT_ID = 'syslogger';

/** What runs, and a stop has to bring to its end. */
export interface Running {
  ledger: Ledger;
  forwarder: Forwarder;
  listeners: Listeners;
  sink: Sink;
  health: Health;
  metrics: Metric[];
  /** Absent where no Riemann is configured. */
  riemann?: { client: RiemannClient; reporter: Reporter; address: string };
}

/**
 * Puts the parts together; none of them does anything yet.
 * @param onBroken nothing can be delivered from now on
 */
export function assemble(
  config: Config,
  runtime: Runtime,
  log: Log,
  onBroken: () => void,
): Running {
  const format = createFormat(config.format);
  const ledger = new Ledger();
  const sink = createSink();
  const { maxUnacknowledgedBytes, maxMessageBytes, maxConnectionUnacknowledgedBytes } = config;
  const { afterInput } = runtime;
  const forwarder = new Forwarder({ sink, ledger, maxUnacknowledgedBytes, afterInput });
  const { maxConnections, firstMessageMs, datagramBufferBytes, unixAccess, listenTls } = config;
  const listeners = new Listeners({
    ...{ runtime, log, forwarder, format, maxConnections, firstMessageMs },
    ...{ maxMessageBytes, maxUnacknowledgedBytes, maxConnectionUnacknowledgedBytes },
    ...{ datagramBufferBytes, unixAccess, ...(listenTls && { tls: listenTls }) },
  });
  const health = new Health(forwarder, sink);
  const metrics = createMetrics({ ledger, forwarder, listeners, sink, health });
  const running = { ledger, sink, forwarder, listeners, health, metrics };
  const { riemann } = config;
  if (riemann === null) return running;
  const client = createRiemannClient(riemann, runtime, log);
  metrics.push(...riemannMetrics(client));
  const { target, topic } = config;
  const reporter = new Reporter({
    metrics,
    delivery: () => health.delivery(),
    send: (events) => client.send(events),
    intervalMs: riemann.intervalMs,
    host: hostname(),
    attributes: { version: VERSION, ...(target.kind !== 'stdout' && { topic }) },
  });
  return { ...running, riemann: { client, reporter, address: formatAddress(riemann.address) } };

  function createSink(): Sink {
    const { target, topic } = config;
    const maxValueBytes = format.bound(config.maxMessageBytes);
    if (target.kind === 'stdout') {
      return new StdoutSink({
        write: runtime.writeStdout,
        maxValueBytes,
        onBroken: (error) => {
          log.error(`standard output is closed (${error.message}): nothing can be delivered`);
          onBroken();
        },
      });
    }
    return new KafkaSink({
      discovery: createDiscovery(target),
      ...{ topic, log, maxValueBytes },
      clientId: CLIENT_ID,
      socketFactory: runtime.socketFactory,
      split: format.split,
    });
  }
}

function createDiscovery(target: Exclude<Target, { kind: 'stdout' }>): Discovery {
  return {
    description: describeTarget(target),
    find: async () => (target.kind === 'brokers' ? target.addresses : findBrokers(target.ensemble)),
  };
}

function createRiemannClient(
  { address, tls }: RiemannTarget,
  runtime: Runtime,
  log: Log,
): RiemannClient {
  const where = `Riemann ${formatAddress(address)}`;
  return new RiemannClient({
    connect: (handler) => runtime.connect(address, tls, handler),
    onProblem: (problem) => log.repeated(where, `${where}: ${problem}; forwarding goes on`),
    onRecovered: () => log.recovered(where),
  });
}
