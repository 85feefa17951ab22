import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { type GoldenCase, goldenCases } from '../support/golden.ts';
import { sendMessages } from '../support/load.ts';
import { sendStream } from '../support/peer.ts';
import { startSyslogger } from '../support/syslogger.ts';

const DEFAULT_MAX = 131_072;
/** The least that `--max-message-bytes` takes: cases below it run in the unit tests only. */
const LEAST_MAX = 64;

setDefaultTimeout(60_000);

const limitOf = ({ options }: GoldenCase) => options.maxMessageBytes ?? DEFAULT_MAX;
const cases = goldenCases().filter((golden) => limitOf(golden) >= LEAST_MAX);

for (const limit of new Set(cases.map(limitOf))) {
  describe(`the binary with --max-message-bytes ${limit}`, () => {
    const mine = cases.filter((golden) => limitOf(golden) === limit);
    let outputs: Map<string, string>;
    beforeAll(async () => {
      outputs = await forwardEach(mine, ['--max-message-bytes', `${limit}`]);
    });

    for (const { name, expected } of mine) {
      test(`golden: ${name}`, () => {
        const output = Buffer.from(outputs.get(name) ?? 'nothing', 'latin1').toString();
        expect(withoutYear(output)).toEqual(
          withoutYear(expected.map((document) => `${document}\n`).join('')),
        );
      });
    }
  });
}

describe('the binary with --format raw', () => {
  // A frame over the limit comes in parts; between two of them stands a line end.
  const mine = cases.filter(({ input }) => input.length <= DEFAULT_MAX);
  let outputs: Map<string, string>;
  beforeAll(async () => {
    outputs = await forwardEach(mine, ['--format', 'raw']);
  });

  for (const { name, input } of mine) {
    test(`frames as they came: ${name}`, () => {
      const frames = framesOf(Buffer.from(input).toString('latin1'));
      expect(outputs.get(name)).toBe(frames.map((frame) => `${frame}\n`).join(''));
    });
  }
});

const ZONES = [
  { zone: 'America/New_York', january: '-05:00', july: '-04:00' },
  // The southern summer, and a clock that moves by half an hour.
  { zone: 'Australia/Lord_Howe', january: '+11:00', july: '+10:30' },
];
for (const { zone, january, july } of ZONES) {
  test(`timestamps without an offset have that of TZ=${zone}`, async () => {
    const daemon = await startSyslogger({ args: ['--stdout'], env: { TZ: zone } });
    await sendMessages(daemon.port, [
      '<13>Jan 15 12:00:00 host app: x',
      '<13>Jul 15 12:00:00 host app: x',
      '<13>2026-01-15 12:00:00.25 host app: x',
      '<13>2026-07-15T12:00:00 host app: x',
      '<13>2026-07-15T12:00:00+09:00 host app: x',
    ]);
    await daemon.stop();
    expect([...daemon.stdout().matchAll(/"timestamp":"\d{4}-([^"]+)"/g)].map(([, t]) => t)).toEqual(
      [
        `01-15T12:00:00${january}`,
        `07-15T12:00:00${july}`,
        `01-15T12:00:00.25${january}`,
        `07-15T12:00:00${july}`,
        '07-15T12:00:00+09:00',
      ],
    );
  });
}

/**
 * Sends each case over a connection of its own to one daemon, and a mark after each.
 * @returns what came out by the case's name, one character a byte
 */
async function forwardEach(cases: GoldenCase[], args: string[]): Promise<Map<string, string>> {
  const daemon = await startSyslogger({ args: ['--stdout', ...args], env: { TZ: 'UTC' } });
  for (const { name, input } of cases) {
    await sendStream(daemon.port, input);
    await sendMessages(daemon.port, [`<13>end: ${name}`]);
  }
  const { code } = await daemon.stop();
  expect(code).toBe(0);
  const outputs = new Map<string, string>();
  let rest = readFileSync(daemon.child.stdoutPath, 'latin1');
  for (const { name } of cases) {
    const mark = args.includes('raw')
      ? `<13>end: ${name}\n`
      : `{"facility":1,"severity":5,"appname":"end","message":"${name}"}\n`;
    const end = rest.indexOf(mark);
    expect(end).not.toBe(-1);
    outputs.set(name, rest.slice(0, end));
    rest = rest.slice(end + mark.length);
  }
  expect(rest).toBe('');
  return outputs;
}

/** A timestamp may have come without a year, and the clock of the cases is not ours. */
function withoutYear(documents: string): string {
  return documents.replace(/"timestamp":"\d{4}-/g, '"timestamp":"YYYY-');
}

/** RFC 6587 read once more, with expressions: counted frames, else lines. */
function framesOf(stream: string): string[] {
  const frames: string[] = [];
  for (let rest = stream; rest !== ''; ) {
    const [prefix, count] = /^([1-9]\d{0,8}) (?=<)/.exec(rest) ?? ['', ''];
    if (count !== '') {
      frames.push(rest.slice(prefix.length, prefix.length + Number(count)));
      rest = rest.slice(prefix.length + Number(count));
    } else {
      const [whole, line] = /^([^\n]*?)(?:\r?\n|\r?$)/.exec(rest) ?? [rest, rest];
      frames.push(line);
      rest = rest.slice(whole.length);
    }
  }
  return frames.filter((frame) => frame !== '');
}
