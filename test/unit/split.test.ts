import { expect, test } from 'bun:test';
import { createFormat } from '../../src/syslog/format.ts';
import { documents, values } from '../support/pipeline.ts';

interface Document {
  message: string;
  hostname?: string;
  error?: string;
  raw?: string;
  part?: number;
  subpart?: number;
}

const json = createFormat('json');
const raw = createFormat('raw');

const text = `${'a "quoted" \\ naïve ☕ 😀 '.repeat(200)}end`;
const frame = `<13>Oct 11 22:14:15 web01 app[1]: ${text}`;

for (const maxBytes of [300, 1_000, 4_001]) {
  test(`a document is cut into documents of at most ${maxBytes} bytes that hold its text`, () => {
    const parts = split(documentOf(frame), maxBytes);
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.map(({ message }) => message).join('')).toBe(text);
    expect(parts.map(({ part }) => part)).toEqual(parts.map((_, i) => i + 1));
    for (const { hostname } of parts) expect(hostname).toBe('web01');
  });
}

test('bytes that are not UTF-8 keep their base64 in each part', () => {
  const bytes = Buffer.concat([Buffer.from(frame), Buffer.from([0xff, 0xc0, 0x80, 0xe2, 0x98])]);
  const [value] = values([bytes]);
  const parts = split(value, 900);
  const whole = Buffer.concat(parts.map((part) => Buffer.from(part.raw ?? '', 'base64')));
  expect(whole.equals(bytes)).toBe(true);
});

test('what is a part already is numbered by subpart', () => {
  const [, second] = values([Buffer.from(frame)], { maxMessageBytes: 2_000 });
  const parts = split(second, 700);
  expect(parts.map(({ part }) => part)).toEqual(parts.map(() => 2));
  expect(parts.map(({ subpart }) => subpart)).toEqual(parts.map((_, i) => i + 1));
});

test('where the header is too large, the pieces hold the JSON text', () => {
  const long = `<13>Oct 11 22:14:15 ${'h'.repeat(2_000)} app: ${text}`;
  const [document] = documents([Buffer.from(long)]);
  const parts = split(documentOf(long), 1_000);
  expect(parts.map(({ message }) => message).join('')).toBe(document);
  for (const { error } of parts) expect(error).toContain('JSON text');
});

test('where nothing fits, there is nothing', () => {
  expect(json.split(documentOf(frame), 60)).toBeNull();
  expect(raw.split(Buffer.from(frame), 0)).toBeNull();
});

test('a raw value is cut into pieces', () => {
  const parts = raw.split(Buffer.from(frame), 999) ?? [];
  expect(Buffer.concat(parts).toString()).toBe(frame);
  for (const part of parts) expect(part.length).toBeLessThanOrEqual(999);
});

function documentOf(message: string): Uint8Array {
  return values([Buffer.from(message)])[0];
}

function split(value: Uint8Array, maxBytes: number): Document[] {
  const parts = json.split(value, maxBytes) ?? [];
  for (const part of parts) expect(part.length).toBeLessThanOrEqual(maxBytes);
  return parts.map((part) => JSON.parse(Buffer.from(part).toString()) as Document);
}
