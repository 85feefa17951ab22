import { describe, expect, test } from 'bun:test';
import { encodeAcknowledgements, encodeAnswer, encodeServerClose } from '../../src/relp/answers.ts';
import { RelpFramer } from '../../src/relp/framing.ts';
import { concat, cut } from '../support/mutate.ts';
import { randomNumbers } from '../support/random.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20261125);
const STREAMS = 3_000;

/** A frame, its data in the parts that it comes in. */
interface Seen {
  transaction: number;
  command: string;
  parts: string[];
}

/** What comes out of a stream that is given in chunks. */
function read(chunks: Uint8Array[], maxBytes: number): { frames: Seen[]; framer: RelpFramer } {
  const framer = new RelpFramer(maxBytes);
  const frames: Seen[] = [];
  let isInside = false;
  for (const chunk of chunks) {
    framer.push(chunk);
    while (framer.violation === undefined && framer.next()) {
      if (framer.violation) break;
      const { transaction, command, bytes, start, end } = framer;
      const data = Buffer.from(bytes.subarray(start, end)).toString('latin1');
      if (isInside) frames.at(-1)?.parts.push(data);
      else frames.push({ transaction, command, parts: [data] });
      isInside = !framer.isComplete;
    }
  }
  return { frames, framer };
}

function relp(transaction: number, command: string, data: string): string {
  return `${transaction} ${command} ${data.length}${data === '' ? '' : ` ${data}`}\n`;
}

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));

test('frames are what was sent, wherever the stream is cut', () => {
  for (let n = 0; n < STREAMS; n++) {
    const random = randomNumbers(SEED + n);
    const maxBytes = [64, 200, 131_072][random(3)];
    const sent = Array.from({ length: 1 + random(20) }, (_, i) => ({
      transaction: random(20) === 0 ? random(1_000_000_000) : i + 1,
      command: ['syslog', 'syslog', 'syslog', 'open', 'close', 'x'][random(6)],
      data: Array.from({ length: random(random(9) === 0 ? 900 : 90) }, () =>
        String.fromCharCode(random(4) === 0 ? 10 : random(256)),
      ).join(''),
    }));
    const stream = bytes(sent.map((one) => relp(one.transaction, one.command, one.data)).join(''));
    const { frames, framer } = read(cut(stream, random), maxBytes);
    expect(framer.violation).toBeUndefined();
    expect(
      frames.map(({ transaction, command, parts }) => ({
        ...{ transaction, command },
        data: parts.join(''),
      })),
    ).toEqual(sent);
    for (const { command, parts } of frames) {
      if (command !== 'syslog') expect(parts.length).toBe(1);
      else for (const part of parts) expect(part.length).toBeLessThanOrEqual(maxBytes);
    }
  }
});

describe('what is no RELP ends it, in one chunk or byte by byte', () => {
  for (const [stream, problem] of [
    ['<13>hello\n', 'no transaction number'],
    ['1234567890 syslog 1 x\n', 'no transaction number'],
    ['1\n', 'no space behind the transaction number'],
    ['1  syslog 1 x\n', 'no command'],
    ['1 sys:log 1 x\n', 'no command'],
    [`1 ${'x'.repeat(33)} 1 x\n`, 'no command'],
    ['1 syslog x\n', 'no length'],
    ['1 syslog -1 x\n', 'no length'],
    ['1 syslog 1234567890 x\n', 'no length'],
    ['1 syslog 1\nx', 'no space before the data'],
    ['1 open 99999999 x\n', 'a command open of 99999999 bytes'],
    ['1 syslog 3 abcd\n', 'no line end behind the data'],
    ['1 syslog 0 abc\n', 'no line end behind the data'],
    ['1 syslog 3 abc2 syslog 1 x\n', 'no line end behind the data'],
    ['\x16\x03\x01\x02', 'no transaction number'],
    ['\n', 'no transaction number'],
  ] as const) {
    test(JSON.stringify(stream), () => {
      const whole = read([bytes(stream)], 131_072).framer;
      const single = read(
        [...stream].map((one) => bytes(one)),
        131_072,
      ).framer;
      expect(whole.violation?.problem).toBe(problem);
      expect(single.violation?.problem).toBe(problem);
    });
  }
});

test('what it keeps of a frame that does not end is bounded', () => {
  const framer = new RelpFramer(1_000);
  framer.push(bytes('1 syslog 999999999 '));
  expect(framer.next()).toBe(false);
  let taken = 0;
  for (let i = 0; i < 10_000; i++) {
    framer.push(bytes('x'.repeat(700)));
    while (framer.next()) taken += framer.end - framer.start;
  }
  expect(taken).toBeGreaterThan(10_000 * 700 - 1_100);
});

test('answers', () => {
  const text = (encoded: Uint8Array) => Buffer.from(encoded).toString();
  expect(
    text(
      encodeAcknowledgements([
        { first: 9, count: 2 },
        { first: 999_999_999, count: 2 },
        { first: 0, count: 1 },
      ]),
    ),
  ).toBe([9, 10, 999_999_999, 1, 0].map((number) => `${number} rsp 6 200 OK\n`).join(''));
  expect(text(encodeAnswer(7, '200 OK\nx'))).toBe('7 rsp 8 200 OK\nx\n');
  expect(text(encodeAnswer(7))).toBe('7 rsp 0\n');
  expect(text(encodeServerClose())).toBe('0 serverclose 0\n');
  expect(text(concat([encodeAnswer(1), encodeServerClose()]))).toBe('1 rsp 0\n0 serverclose 0\n');
});
