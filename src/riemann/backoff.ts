const FIRST_MS = 250;
const LONGEST_MS = 30_000;

/**
 * How long to wait before the next try: doubled each time up to 30 seconds, and scattered
 * over its upper half, so that many clients don't come back at once.
 */
export class Backoff {
  private tries = 0;
  private end: (() => void) | undefined;

  /** Waits, longer each time; that alone does not keep the process alive. */
  async wait(): Promise<void> {
    const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.tries);
    this.tries = Math.min(this.tries + 1, 16);
    const delay = longest / 2 + (Math.random() * longest) / 2;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, delay);
      timer.unref();
      this.end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** It went well: the next wait is short again. */
  reset(): void {
    this.tries = 0;
  }

  /** Ends the wait, if there is one. */
  endWait(): void {
    this.end?.();
  }
}
