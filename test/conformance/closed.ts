import { expect } from 'bun:test';
import type { Fixture } from './harness.ts';

/** The report of a first connection that closed without an error. */
export const CLOSED = { event: 'closed', connection: 0 } as const;

/** The connection that the fixture opened and destroyed closes, and nothing keeps the process alive. */
export async function expectNothingLeft(fixture: Fixture, opened: number): Promise<void> {
  expect(await fixture.seen('closed')).toEqual([CLOSED]);
  await fixture.expectNoMore();
  expect(fixture.all('opened').length).toBe(opened);
  expect(fixture.all('end')).toEqual([]);
  fixture.tell({ do: 'detach' });
  expect(await fixture.exited()).toBe(0);
}
