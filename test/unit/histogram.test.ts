import { expect, test } from 'bun:test';
import { Histogram } from '../../src/histogram.ts';
import { randomNumbers } from '../support/random.ts';

test('quantiles are exact to a quarter of the value, the largest one exactly', () => {
  const random = randomNumbers(7);
  const histogram = new Histogram(0.0001, 6);
  const values = Array.from({ length: 10_000 }, () => 10 ** (random(4000) / 1000 - 3));
  for (const value of values) histogram.observe(value);
  const sorted = values.toSorted((a, b) => a - b);
  const { count, max, quantile } = histogram.takeWindow();
  expect(count).toBe(values.length);
  expect(max).toBe(sorted.at(-1) ?? 0);
  for (const q of [0.01, 0.5, 0.9, 0.99, 0.999]) {
    const exact = sorted[Math.ceil(q * values.length) - 1] ?? 0;
    expect(quantile(q) / exact).toBeGreaterThan(0.8);
    expect(quantile(q) / exact).toBeLessThan(1.26);
  }
  expect(quantile(1)).toBe(max);
});

test('a window holds only what came since the last one; the sums hold all', () => {
  const histogram = new Histogram(1, 3);
  histogram.observe(500);
  histogram.takeWindow();
  for (const value of [1, 2, 3]) histogram.observe(value);
  const { count, max, quantile } = histogram.takeWindow();
  expect({ count, max, median: quantile(0.5) }).toEqual({
    count: 3,
    max: 3,
    median: expect.any(Number),
  });
  expect(quantile(0.5)).toBeGreaterThan(1);
  expect(quantile(0.5)).toBeLessThanOrEqual(2);
  expect({ count: histogram.count, sum: histogram.sum }).toEqual({ count: 4, sum: 506 });
  expect(histogram.takeWindow()).toMatchObject({ count: 0, max: 0 });
});

test('values that are all the same have that as every quantile', () => {
  const histogram = new Histogram(1, 5);
  for (let i = 0; i < 99; i++) histogram.observe(1);
  const { quantile } = histogram.takeWindow();
  expect([quantile(0.5), quantile(0.99), quantile(1)]).toEqual([1, 1, 1]);
});

test('buckets count what is not above their bound, and leave out only what is above all', () => {
  const histogram = new Histogram(1, 2);
  for (const value of [0, 1, 1.001, 2, 60, 100, 1e9]) histogram.observe(value);
  expect(histogram.buckets()).toEqual([
    { bound: 1, count: 2 },
    { bound: 2, count: 4 },
    { bound: 5, count: 4 },
    { bound: 10, count: 4 },
    { bound: 20, count: 4 },
    { bound: 50, count: 4 },
    { bound: 100, count: 6 },
  ]);
  expect(histogram.count).toBe(7);
  expect(histogram.takeWindow().quantile(1)).toBe(1e9);
});
