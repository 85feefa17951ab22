const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/**
 * How long to wait before the next try: doubled each time up to five seconds, and
 * scattered over its upper half, so that many daemons don't come back at once.
 */
export class Backoff {
  private tries = 0;

  /** Waits, longer each time. */
  async wait(): Promise<void> {
    const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.tries);
    this.tries = Math.min(this.tries + 1, 16);
    const delay = longest / 2 + (Math.random() * longest) / 2;
    await new Promise((resolve) => setTimeout(resolve, delay));
  }

  /** It went well: the next wait is short again. */
  reset(): void {
    this.tries = 0;
  }
}
