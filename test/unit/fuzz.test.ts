import { expect, test } from 'bun:test';
import { Framer } from '../../src/syslog/framing.ts';
import { goldenCases } from '../support/golden.ts';
import { concat, cut, enframe, mutate } from '../support/mutate.ts';
import { documents } from '../support/pipeline.ts';
import { randomNumbers } from '../support/random.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20261011);
const FRAMES = Number(process.env.FUZZ_FRAMES ?? 240_000);
const FRAMES_PER_STREAM = 40;
const NOW = Date.UTC(2026, 9, 15, 12);
const LIMITS = [64, 200, 131_072];

const originals = goldenCases()
  .filter(({ input }) => input.length < 2_000)
  .flatMap(({ input }) => Buffer.from(input).toString('latin1').split('\n'))
  .map((line) => new Uint8Array(Buffer.from(line, 'latin1')));

test(`${FRAMES} mutated frames, cut at random places, lose no byte (FUZZ_SEED=${SEED})`, () => {
  for (let n = 0; n < FRAMES / FRAMES_PER_STREAM; n++) {
    const random = randomNumbers(SEED + n);
    const frames = Array.from({ length: FRAMES_PER_STREAM }, () =>
      enframe(mutate(originals[random(originals.length)], random), random),
    );
    const stream = concat(frames);
    const maxMessageBytes = LIMITS[random(LIMITS.length)];
    try {
      checkFrames(stream, cut(stream, random), maxMessageBytes);
      const options = { maxMessageBytes, now: NOW };
      const whole = documents([stream], options);
      expect(documents(cut(stream, random), options)).toEqual(whole);
      for (const document of whole) JSON.parse(document);
    } catch (error) {
      throw new Error(`stream ${n} of FUZZ_SEED=${SEED}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}, 120_000);

/** Puts the frames together again: only line ends and octet counts may lie between them. */
function checkFrames(stream: Uint8Array, chunks: Uint8Array[], maxBytes: number): void {
  const framer = new Framer(maxBytes);
  let at = 0;
  const take = () => {
    while (framer.next()) {
      const { bytes, start, end, part } = framer;
      if (part < 2) at = skipCount(stream, skipLineEnds(stream, at));
      const length = end - start;
      if (length === 0 || length > maxBytes) throw new Error(`a frame of ${length} bytes`);
      for (let i = 0; i < length; i++) {
        if (stream[at + i] !== bytes[start + i]) throw new Error(`byte ${at + i} is missing`);
      }
      at += length;
    }
  };
  for (const chunk of chunks) {
    framer.push(chunk);
    take();
  }
  framer.finish();
  take();
  at = skipLineEnds(stream, at);
  if (stream[at] === 0x0d) at += 1;
  if (at !== stream.length) throw new Error(`${stream.length - at} bytes are missing at the end`);
}

function skipLineEnds(stream: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    if (stream[at] === 0x0a) at += 1;
    else if (stream[at] === 0x0d && stream[at + 1] === 0x0a) at += 2;
    else return at;
  }
}

function skipCount(stream: Uint8Array, at: number): number {
  const head = Buffer.from(stream.subarray(at, at + 11)).toString('latin1');
  return at + (/^([1-9]\d{0,8} )</.exec(head)?.[1].length ?? 0);
}
