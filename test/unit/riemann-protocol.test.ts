import { expect, test } from 'bun:test';
import {
  decodeMessage,
  encodeMessage,
  type RiemannEvent,
  type RiemannMessage,
} from '../../src/riemann/protocol.ts';
import { concat, mutate } from '../support/mutate.ts';
import { randomNumbers } from '../support/random.ts';
import { randomEvent } from '../support/riemann-events.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20261011);

const text = (value: string) => [...Buffer.from(value)];
const bytes = (...values: (number | number[])[]) => Uint8Array.from(values.flat());
const ones = (count: number) => Array.from({ length: count }, () => 0xff);

/** An event's bytes without the six and the length that are before them in a Msg. */
function encodeEvent(event: RiemannEvent): Uint8Array {
  const message = encodeMessage({ events: [event] });
  expect([message[0], message[1]]).toEqual([0x32, message.length - 2]);
  return message.slice(2);
}

function decodeEvent(...values: (number | number[])[]): RiemannEvent | undefined {
  const event = bytes(...values);
  return decodeMessage(bytes(0x32, event.length, [...event])).events?.[0];
}

// Written out by hand: (field << 3 | wire type), then the value.
const fields: [what: string, event: RiemannEvent, golden: Uint8Array][] = [
  ['time', { time: 300 }, bytes(0x08, 0xac, 0x02)],
  ['time before 1970', { time: -1 }, bytes(0x08, ones(9), 0x01)],
  ['state', { state: 'ok' }, bytes(0x12, 2, text('ok'))],
  ['service', { service: 'a b' }, bytes(0x1a, 3, text('a b'))],
  ['host', { host: 'web01' }, bytes(0x22, 5, text('web01'))],
  ['description', { description: 'é€😀' }, bytes(0x2a, 9, text('é€😀'))],
  ['empty text', { state: '' }, bytes(0x12, 0)],
  ['tags', { tags: ['x', '', 'yz'] }, bytes(0x3a, 1, text('x'), 0x3a, 0, 0x3a, 2, text('yz'))],
  ['ttl', { ttl: 1.5 }, bytes(0x45, 0, 0, 0xc0, 0x3f)],
  [
    'attributes',
    { attributes: { k: 'v', __proto: '' } },
    bytes(
      [0x4a, 6, 0x0a, 1, ...text('k'), 0x12, 1, ...text('v')],
      [0x4a, 11, 0x0a, 7, ...text('__proto'), 0x12, 0],
    ),
  ],
  ['time in µs', { timeMicros: 2 ** 35 }, bytes(0x50, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01)],
  ['integer metric', { metric: 64 }, bytes(0x68, 0x80, 0x01)],
  ['negative integer metric', { metric: -64 }, bytes(0x68, 0x7f)],
  ['largest integer metric', { metric: Number.MAX_SAFE_INTEGER }, bytes(0x68, 0xfe, ones(6), 0x1f)],
  [
    'smallest integer metric',
    { metric: Number.MIN_SAFE_INTEGER },
    bytes(0x68, 0xfd, ones(6), 0x1f),
  ],
  ['fractional metric', { metric: -0.5 }, bytes(0x71, 0, 0, 0, 0, 0, 0, 0xe0, 0xbf)],
  [
    'metric beyond the safe integers',
    { metric: 2 ** 53 },
    bytes(0x71, 0, 0, 0, 0, 0, 0, 0x40, 0x43),
  ],
];

for (const [what, event, golden] of fields) {
  test(`${what} is encoded and decoded as Protocol Buffers do it`, () => {
    expect(encodeEvent(event)).toEqual(golden);
    expect(decodeEvent([...golden])).toEqual(event);
  });
}

const messages: [message: RiemannMessage, golden: Uint8Array][] = [
  [{}, bytes()],
  [{ ok: true }, bytes(0x10, 1)],
  [{ ok: false, error: 'no' }, bytes(0x10, 0, 0x1a, 2, text('no'))],
  [{ events: [{}, { state: 'x' }] }, bytes(0x32, 0, 0x32, 3, 0x12, 1, text('x'))],
];

for (const [message, golden] of messages) {
  test(`the message ${JSON.stringify(message)} is encoded and decoded`, () => {
    expect(encodeMessage(message)).toEqual(golden);
    expect(decodeMessage(golden)).toEqual(message);
  });
}

test('what a field cannot hold is left out, and times are whole', () => {
  const { NaN: nan, POSITIVE_INFINITY: infinite } = Number;
  for (const metric of [nan, infinite, -infinite]) expect(encodeEvent({ metric })).toEqual(bytes());
  for (const ttl of [nan, infinite, 1e39]) expect(encodeEvent({ ttl })).toEqual(bytes());
  for (const time of [nan, infinite, 2 ** 53]) expect(encodeEvent({ time })).toEqual(bytes());
  expect(encodeEvent({ time: 1.9, timeMicros: -1.5 })).toEqual(
    bytes(0x08, 1, 0x50, 0xfe, ones(8), 1),
  );
});

test('the integer metric goes before the double, and the double before the float', () => {
  const sint64 = [0x68, 2];
  const double = [0x71, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f];
  const float = [0x7d, 0, 0, 0xc0, 0x3f];
  expect(decodeEvent(sint64, double, float)?.metric).toBe(1);
  expect(decodeEvent(float, double, sint64)?.metric).toBe(1);
  expect(decodeEvent(float, double)?.metric).toBe(0.5);
  expect(decodeEvent(float)?.metric).toBe(1.5);
});

test('fields that nobody knows are skipped, whatever their type', () => {
  const unknown = [
    [0xf8, 0x01, ...ones(9), 0x01],
    [0xf9, 0x01, 1, 2, 3, 4, 5, 6, 7, 8],
    [0xfd, 0x01, 1, 2, 3, 4],
    [0xfa, 0x01, 2, 0xff, 0xff],
    [0xfa, 0xff, 0xff, 0xff, 0x0f, 0],
  ].flat();
  const event = [0x12, 1, ...text('x'), ...unknown];
  const message = bytes(unknown, 0x10, 1, unknown, 0x32, event.length, event, unknown);
  expect(decodeMessage(message)).toEqual({ ok: true, events: [{ state: 'x' }] });
});

const malformed: [what: string, message: Uint8Array, error: string][] = [
  ['a tag that does not end', bytes(0x80), 'it ends too early'],
  ['no value', bytes(0x10), 'it ends too early'],
  ['text shorter than its length', bytes(0x1a, 3, text('ab')), 'it ends too early'],
  ['text of 2^63 bytes', bytes(0x1a, ones(9), 0x01), 'it ends too early'],
  ['half a double', bytes(0x32, 5, 0x71, 1, 2, 3, 4), 'it ends too early'],
  ['half a float', bytes(0x32, 3, 0x45, 1, 2), 'it ends too early'],
  ['an event that ends in its text', bytes(0x32, 3, 0x12, 5, 1, 2, 3, 4, 5), 'it ends too early'],
  ['eleven bytes of an integer', bytes(0x10, ones(10), 1), 'more than 64 bits'],
  ['field 0', bytes(0x00, 1), 'no field can have the tag 0'],
  ['a tag of 33 bits', bytes(0x88, 0x80, 0x80, 0x80, 0x10, 1), 'no field can have the tag'],
  ['a group', bytes(0x0b, 0x0c), 'field 1 has the wire type 3'],
  ['a wire type that there is not', bytes(0x0f), 'field 1 has the wire type 7'],
  ['text as a number', bytes(0x18, 1), 'field 3 has the wire type 0, not 2'],
  [
    'a time of 2^53',
    bytes(0x32, 9, 0x08, [0x80, 0x80, 0x80, 0x80], [0x80, 0x80, 0x80, 0x10]),
    'large',
  ],
];

for (const [what, message, error] of malformed) {
  test(`refused: ${what}`, () => {
    expect(() => decodeMessage(message)).toThrow(error);
  });
}

test('bytes that are no UTF-8 are replaced', () => {
  expect(decodeMessage(bytes(0x1a, 3, 0x61, 0xff, 0x62)).error).toBe('a\ufffdb');
});

test('an attribute may have any name', () => {
  const attributes = Object.fromEntries([['__proto__', 'x']]);
  const [event] = decodeMessage(encodeMessage({ events: [{ attributes }] })).events ?? [];
  expect(Object.entries(event?.attributes ?? {})).toEqual([['__proto__', 'x']]);
});

test('2,000 random messages come back as they were', () => {
  const random = randomNumbers(SEED);
  for (let n = 0; n < 2_000; n++) {
    const events = Array.from({ length: 1 + random(3) }, () => randomEvent(random));
    const message: RiemannMessage = { events };
    if (random(2) === 0) message.ok = random(2) === 0;
    expect(decodeMessage(encodeMessage(message))).toEqual(message);
  }
});

test(`50,000 broken messages are decoded or refused (FUZZ_SEED=${SEED})`, () => {
  const random = randomNumbers(SEED);
  let refused = 0;
  for (let n = 0; n < 50_000; n++) {
    const noise = Uint8Array.from({ length: random(40) }, () => random(256));
    const whole = encodeMessage({ ok: true, events: [randomEvent(random)] });
    const broken = random(4) === 0 ? noise : mutate(concat([whole, noise]), random);
    // A view into something larger: reading beyond its end would find more.
    const room = concat([Uint8Array.of(1), broken, whole]);
    const input = room.subarray(1, 1 + broken.length);
    const outcome = decodeOrRefuse(input);
    expect(decodeOrRefuse(broken)).toEqual(outcome);
    if (typeof outcome === 'string') refused++;
  }
  expect(refused).toBeGreaterThan(1_000);
});

test('every beginning of a message is decoded or refused', () => {
  const random = randomNumbers(SEED);
  for (let n = 0; n < 50; n++) {
    const whole = encodeMessage({ ok: true, error: 'x', events: [randomEvent(random)] });
    for (let end = 0; end < whole.length; end++) {
      const outcome = decodeOrRefuse(whole.subarray(0, end));
      if (typeof outcome === 'string') expect(outcome).toBe('it ends too early');
    }
  }
});

/** The message, or why it was refused. */
function decodeOrRefuse(input: Uint8Array): RiemannMessage | string {
  try {
    return decodeMessage(input);
  } catch (error) {
    expect((error as Error).constructor).toBe(Error);
    return (error as Error).message;
  }
}
