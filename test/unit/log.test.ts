import { expect, test } from 'bun:test';
import { createLog } from '../../src/log.ts';

function logAt() {
  const lines: string[] = [];
  let now = 0;
  const log = createLog({
    write: (line) => lines.push(line.replace(/^\S+ /, '').trimEnd()),
    level: 'debug',
    format: 'human',
    isTerminal: false,
    isJournal: false,
    clock: () => now,
  });
  const at = (seconds: number) => {
    now = seconds * 1000;
  };
  return { log, lines, at };
}

test('a condition that lasts is said at once, then every half minute, and when it is over', () => {
  const { log, lines, at } = logAt();
  for (let second = 0; second < 70; second++) {
    at(second);
    log.repeated('Kafka', 'waiting for Kafka');
  }
  log.recovered('Kafka');
  log.recovered('Kafka');
  const said = 'warn waiting for Kafka';
  expect(lines).toEqual([said, said, said, 'info Kafka: all well again after 69 s']);
});

test('what comes and goes is not said each time', () => {
  const { log, lines, at } = logAt();
  for (let tenth = 0; tenth < 590; tenth++) {
    at(tenth / 10);
    log.repeated('Riemann', 'refused');
    log.recovered('Riemann');
  }
  const pair = ['warn refused', 'info Riemann: all well again after 0 s'];
  expect(lines).toEqual([...pair, ...pair]);
});

test('another cause of the same condition is said, but not more than every three seconds', () => {
  const { log, lines, at } = logAt();
  for (let second = 0; second < 9; second++) {
    at(second);
    log.repeated('Kafka', `cause ${second}`);
  }
  expect(lines).toEqual(['warn cause 0', 'warn cause 3', 'warn cause 6']);
});

test('what others have sent can neither end the line nor command a terminal', () => {
  const { log, lines } = logAt();
  log.warn('a\r\nb\u001b[31mc\0d\u0085e\u2028f\u202eg');
  expect(lines).toEqual(['warn a b [31mc d e f g']);
  log.warn('x'.repeat(1_000_000));
  expect(lines[1]?.length).toBeLessThan(3_000);
});
