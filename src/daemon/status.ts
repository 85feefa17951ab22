import process from 'node:process';
import type { Runtime } from '../runtime/runtime.ts';
import { COMMIT, PLATFORM, VERSION } from '../version.ts';
import type { Running } from './assembly.ts';

/** The daemon's state as `/status` shows it. Names are those of the metrics where there are such. */
export function describeStatus(running: Running, runtime: Runtime): object {
  const { ledger, forwarder, listeners, sink, health, riemann } = running;
  const { state, description, stalledMs } = health.delivery();
  const reason = health.unreadiness();
  return {
    version: VERSION,
    commit: COMMIT,
    runtime: `${runtime.name} ${runtime.version}`,
    platform: PLATFORM,
    uptime_seconds: Math.round(process.uptime()),
    ready: reason === undefined,
    reason: reason ?? null,
    delivery: { state, description, stalled_seconds: seconds(stalledMs) },
    ledger: {
      received: ledger.received,
      acknowledged: ledger.acknowledged,
      forgotten: ledger.forgotten,
      in_flight: forwarder.messagesInFlight,
      unparsed: ledger.unparsed,
      parts: ledger.parts,
      received_bytes: ledger.receivedBytes,
      connections_accepted: listeners.accepted,
    },
    listeners: listeners.status(),
    connections: listeners.senders().map(({ heldMs, ...connection }) => ({
      ...connection,
      held_seconds: seconds(heldMs),
    })),
    sink: { description: sink.description, retries: sink.retries, ...sink.status() },
    riemann: riemann
      ? { address: riemann.address, ...riemann.client.counts, queued: riemann.client.queued }
      : null,
  };
}

/** To the millisecond. */
function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}
