/** Ten steps a decade, each about a quarter more (Renard's R10): quantiles are that exact at worst. */
const STEPS = [1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8];
/** Those that are shown outside, to keep the pages short. */
const SHOWN_STEPS = [1, 2, 5];

/** What was observed in some time. */
export interface Window {
  count: number;
  /** The largest value, exactly; 0 if there was none. */
  max: number;
  /** The value that the share `q` (0 to 1) of all is not above, as exactly as the steps are. */
  quantile(q: number): number;
}

/** A bucket as Prometheus shows it: how many values were not above its bound. */
export interface Bucket {
  bound: number;
  count: number;
}

/** Counts values by their size. It takes the same memory however many there are. */
export class Histogram {
  count = 0;
  sum = 0;
  private readonly bounds: number[] = [];
  private readonly shown: number[] = [];
  /** One more than bounds: the last is for what is above all of them. */
  private readonly counts: number[];
  private before: number[];
  private minInWindow = Number.POSITIVE_INFINITY;
  private maxInWindow = 0;

  /** @param lowest the first bound, a power of ten; the last is `decades` decades above */
  constructor(lowest: number, decades: number) {
    for (let decade = 0; decade <= decades; decade++) {
      for (const step of decade < decades ? STEPS : [1]) {
        if (SHOWN_STEPS.includes(step)) this.shown.push(this.bounds.length);
        this.bounds.push(Number((step * lowest * 10 ** decade).toPrecision(6)));
      }
    }
    this.counts = new Array(this.bounds.length + 1).fill(0);
    this.before = [...this.counts];
  }

  observe(value: number): void {
    this.count += 1;
    this.sum += value;
    if (value < this.minInWindow) this.minInWindow = value;
    if (value > this.maxInWindow) this.maxInWindow = value;
    let low = 0;
    let high = this.bounds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value <= this.bounds[middle]) high = middle;
      else low = middle + 1;
    }
    this.counts[low] += 1;
  }

  /** What was observed up to each of some bounds, since the start. */
  buckets(): Bucket[] {
    let count = 0;
    const upTo = this.counts.map((some) => {
      count += some;
      return count;
    });
    return this.shown.map((i) => ({ bound: this.bounds[i], count: upTo[i] }));
  }

  /** What was observed since this was last called. */
  takeWindow(): Window {
    const { bounds, minInWindow: min, maxInWindow: max } = this;
    const counts = this.counts.map((count, i) => count - this.before[i]);
    const count = counts.reduce((sum, some) => sum + some, 0);
    this.before = [...this.counts];
    this.minInWindow = Number.POSITIVE_INFINITY;
    this.maxInWindow = 0;
    return { count, max, quantile };

    function quantile(q: number): number {
      let rest = q * count;
      for (let i = 0; i < counts.length; i++) {
        if (counts[i] === 0 || counts[i] < rest) {
          rest -= counts[i];
          continue;
        }
        const from = Math.max(bounds[i - 1] ?? 0, min);
        const to = Math.min(bounds[i] ?? max, max);
        return Math.min(from + ((to - from) * rest) / counts[i], max);
      }
      return max;
    }
  }
}
