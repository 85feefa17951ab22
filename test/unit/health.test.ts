import { expect, test } from 'bun:test';
import type { Problem } from '../../src/forward/sink.ts';
import { Health } from '../../src/health.ts';

function create() {
  const forwarder = { stalledMs: 0, oldestMs: 0, messagesInFlight: 3 };
  const problems: Problem[] = [];
  const health = new Health(forwarder, { description: 'Kafka', problems: () => problems });
  health.isRunning();
  const since = (seconds: number) => performance.now() - seconds * 1000;
  return { forwarder, problems, health, since };
}

test('a batch that is old is a warning although others are acknowledged, whatever is known of it', () => {
  const { forwarder, health } = create();
  forwarder.oldestMs = 4_000;
  expect(health.delivery().state).toBe('ok');
  forwarder.oldestMs = 60_000;
  expect(health.delivery()).toEqual({
    state: 'warning',
    description: 'some messages have been waiting for 60 s',
    stalledMs: 0,
  });
  expect(health.unreadiness()).toBeUndefined();
});

test('a young problem does not hide an old one', () => {
  const { problems, health, since } = create();
  problems.push({ reason: 'young', since: since(1), isTotal: false });
  expect(health.delivery().state).toBe('ok');
  problems.push({ reason: 'old', since: since(60), isTotal: false });
  expect(health.delivery()).toMatchObject({ state: 'warning', description: 'old' });
  problems.unshift({ reason: 'total', since: since(2), isTotal: true });
  expect(health.delivery()).toMatchObject({ state: 'warning', description: 'total' });
});

test('nothing can be delivered: a warning, then critical, and not ready', () => {
  const { problems, health, since } = create();
  problems.push({ reason: 'Kafka is away', since: since(10), isTotal: true });
  const description = 'nothing acknowledged for 10 s, messages waiting: 3: Kafka is away';
  expect(health.delivery()).toMatchObject({ state: 'warning', description });
  expect(health.unreadiness()).toBe(description);
  problems.splice(0, 1, { reason: 'Kafka is away', since: since(31), isTotal: true });
  expect(health.delivery().state).toBe('critical');
});

test('an acknowledgement that takes its time is no stall', () => {
  const { forwarder, health } = create();
  forwarder.stalledMs = 900;
  expect(health.delivery()).toEqual({
    state: 'ok',
    description: 'messages are delivered',
    stalledMs: 0,
  });
});
