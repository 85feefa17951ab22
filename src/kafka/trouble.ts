import type { Problem } from '../forward/sink.ts';
import type { Log } from '../log.ts';

/** What is wrong at one place now: said in the log at a sensible pace, and kept for who asks. */
export class Trouble {
  /** For people; undefined while all is well. */
  reason: string | undefined;
  /** Since when, on the clock that never jumps, in ms. */
  since = 0;
  private readonly log: Log;
  private readonly condition: string;

  /** @param condition names it in the log */
  constructor(log: Log, condition: string) {
    this.log = log;
    this.condition = condition;
  }

  is(reason: string): void {
    if (this.reason === undefined) this.since = performance.now();
    this.reason = reason;
    this.log.repeated(this.condition, reason);
  }

  /** @param isTotal nothing can be delivered while it lasts */
  asProblem(isTotal: boolean): Problem[] {
    const { reason, since } = this;
    return reason === undefined ? [] : [{ reason, since, isTotal }];
  }

  isOver(): void {
    if (this.reason === undefined) return;
    this.reason = undefined;
    this.log.recovered(this.condition);
  }
}
