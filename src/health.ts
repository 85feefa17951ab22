import type { Forwarder } from './forward/forwarder.ts';
import type { Sink } from './forward/sink.ts';

/** What an acknowledgement may take without being worth a word, in ms. */
const USUAL_MS = 1_000;
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
    const longest = Math.max(this.forwarder.stalledMs, problem?.isTotal ? problemMs : 0);
    const stalledMs = longest < USUAL_MS ? 0 : longest;
    const isWell = Math.max(stalledMs, problemMs) < WARNING_AFTER_MS;
    const isShown = !isWell || this.phase === 'starting';
    const description = this.describe(stalledMs, isShown ? problem?.reason : undefined);
    if (isWell) return { state: 'ok', description, stalledMs };
    const state = stalledMs < CRITICAL_AFTER_MS ? 'warning' : 'critical';
    return { state, description, stalledMs };
  }

  /** Why messages should not be sent here now, for people; undefined if they should. */
  unreadiness(): string | undefined {
    const { description, stalledMs } = this.delivery();
    return this.phase === 'running' && stalledMs < WARNING_AFTER_MS ? undefined : description;
  }

  private describe(stalledMs: number, reason: string | undefined): string {
    if (this.phase === 'starting') {
      return `not listening yet: ${reason ?? `reaching ${this.sink.description}`}`;
    }
    const waiting = this.forwarder.messagesInFlight;
    const stalled = `nothing acknowledged for ${Math.round(stalledMs / 1000)} s`;
    const parts = [
      ...(this.phase === 'stopping' ? ['stopping'] : []),
      ...(stalledMs >= WARNING_AFTER_MS ? [`${stalled}, messages waiting: ${waiting}`] : []),
      ...(reason === undefined ? [] : [reason]),
    ];
    return parts.join(': ') || 'messages are delivered';
  }
}
