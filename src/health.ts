import type { Forwarder } from './forward/forwarder.ts';
import type { Sink } from './forward/sink.ts';

/** From here on somebody should know, in ms without an acknowledgement although messages wait. */
const WARNING_AFTER_MS = 5_000;
/** From here on somebody should do something. */
const CRITICAL_AFTER_MS = 30_000;

/** How delivery goes, for people. */
export interface Delivery {
  state: 'ok' | 'warning' | 'critical';
  description: string;
  /** For how long nothing could be delivered, in ms; 0 if that is not so. */
  stalledMs: number;
}

/** How the daemon is: whether messages get to where they shall go. */
export class Health {
  private readonly forwarder: Forwarder;
  private readonly sink: Sink;
  private phase: 'starting' | 'running' | 'stopping' = 'starting';

  constructor(forwarder: Forwarder, sink: Sink) {
    this.forwarder = forwarder;
    this.sink = sink;
  }

  /** It listens. */
  isRunning(): void {
    this.phase = 'running';
  }

  isStopping(): void {
    this.phase = 'stopping';
  }

  delivery(): Delivery {
    const problem = this.sink.problem();
    const problemMs = problem ? performance.now() - problem.since : 0;
    const stalledMs = Math.max(this.forwarder.stalledMs, problem?.isTotal ? problemMs : 0);
    if (Math.max(stalledMs, problemMs) < WARNING_AFTER_MS) {
      return { state: 'ok', description: 'messages are delivered', stalledMs };
    }
    return {
      state: stalledMs < CRITICAL_AFTER_MS ? 'warning' : 'critical',
      description: this.describe(stalledMs, problem?.reason),
      stalledMs,
    };
  }

  /** Why messages should not be sent here now, for people; undefined if they should. */
  unreadiness(): string | undefined {
    if (this.phase === 'stopping') return 'stopping';
    const { description, stalledMs } = this.delivery();
    if (stalledMs >= WARNING_AFTER_MS) return description;
    if (this.phase === 'running') return undefined;
    return `not listening yet: ${this.sink.problem()?.reason ?? `reaching ${this.sink.description}`}`;
  }

  private describe(stalledMs: number, reason: string | undefined): string {
    const waiting = this.forwarder.messagesInFlight;
    const stalled = `nothing was acknowledged for ${Math.round(stalledMs / 1000)} s`;
    const parts = [
      ...(stalledMs >= WARNING_AFTER_MS ? [`${stalled}, messages that wait ${waiting}`] : []),
      ...(reason === undefined ? [] : [reason]),
    ];
    return parts.join(': ');
  }
}
