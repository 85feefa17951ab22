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

/** What health looks at. */
export type Watched = Pick<Forwarder, 'stalledMs' | 'oldestMs' | 'messagesInFlight'>;
/** Where messages go, and what is wrong there. */
export type Destination = Pick<Sink, 'problems' | 'description'>;

/** How the daemon is: whether messages get to where they shall go. */
export class Health {
  private readonly forwarder: Watched;
  private readonly sink: Destination;
  private readonly startedAt = performance.now();
  private phase: 'starting' | 'running' | 'stopping' = 'starting';

  constructor(forwarder: Watched, sink: Destination) {
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
    const now = performance.now();
    const problems = this.sink.problems();
    const ages = problems.map(({ since }) => now - since);
    const totalAges = ages.filter((_, i) => problems[i].isTotal);
    const startingMs = this.phase === 'starting' ? now - this.startedAt : 0;
    const longest = Math.max(this.forwarder.stalledMs, startingMs, ...totalAges);
    const stalledMs = longest < USUAL_MS ? 0 : longest;
    // A part of the topic that can't be written to holds messages too, while others are delivered.
    const partialMs = Math.max(this.forwarder.oldestMs, ...ages);
    const isWell = Math.max(stalledMs, partialMs) < WARNING_AFTER_MS;
    const [worst] = problems.toSorted((a, b) => a.since - b.since);
    const total = problems.find(({ isTotal }) => isTotal);
    const isShown = !isWell || this.phase === 'starting';
    const description = this.describe(
      stalledMs,
      isWell ? 0 : this.forwarder.oldestMs,
      isShown ? (total ?? worst)?.reason : undefined,
    );
    if (isWell) return { state: 'ok', description, stalledMs };
    const state = stalledMs < CRITICAL_AFTER_MS ? 'warning' : 'critical';
    return { state, description, stalledMs };
  }

  /** Why messages should not be sent here now, for people; undefined if they should. */
  unreadiness(): string | undefined {
    const { description, stalledMs } = this.delivery();
    return this.phase === 'running' && stalledMs < WARNING_AFTER_MS ? undefined : description;
  }

  private describe(stalledMs: number, oldestMs: number, reason: string | undefined): string {
    if (this.phase === 'starting') {
      return `not listening yet: ${reason ?? `reaching ${this.sink.description}`}`;
    }
    const waiting = this.forwarder.messagesInFlight;
    const parts = this.phase === 'stopping' ? ['stopping'] : [];
    if (stalledMs >= WARNING_AFTER_MS) {
      parts.push(`nothing acknowledged for ${seconds(stalledMs)}, messages waiting: ${waiting}`);
    } else if (oldestMs >= WARNING_AFTER_MS) {
      parts.push(`some messages have been waiting for ${seconds(oldestMs)}`);
    }
    if (reason !== undefined) parts.push(reason);
    return parts.join(': ') || 'messages are delivered';
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
