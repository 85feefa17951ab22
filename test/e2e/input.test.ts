import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { bytesOf, documentsOf, stopDrained, waitForDocuments } from '../support/documents.ts';
import { connectPeer, dropPeers, sendStream } from '../support/peer.ts';
import { peakMemory } from '../support/process.ts';
import { type Syslogger, startSyslogger } from '../support/syslogger.ts';

const MAX_MESSAGE_BYTES = 131_072;
const MEGABYTE = 2 ** 20;

setDefaultTimeout(60_000);
afterEach(dropPeers);

interface Case {
  name: string;
  /** A stream from its first byte to its end, one character a byte. */
  stream: string;
  /** The texts in order; whole frames where they are no UTF-8. */
  texts: string[];
  /** What each document's error has to say. */
  errors?: RegExp;
  /** What the log has to say. */
  log?: RegExp;
}

const noPri = /PRI expected/;
const everyByte = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
const clientHello = '\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03\xfe\x80\xff\x00\x00\x02\x13\x01';

const cases: Case[] = [
  { name: 'no PRI', stream: 'no syslog\n', texts: ['no syslog'], errors: noPri },
  { name: 'invalid UTF-8', stream: '<13>app: caf\xe9\n', texts: ['<13>app: caf\xe9'] },
  {
    name: 'every byte there is',
    stream: `${everyByte.length + 4} <13>${everyByte}`,
    texts: [`<13>${everyByte}`],
  },
  { name: 'NUL bytes', stream: '<13>app: a\0\0b\0\n', texts: ['a\0\0b\0'] },
  { name: 'only NUL bytes', stream: '\0\0\0', texts: ['\0\0\0'], errors: noPri },
  { name: 'a count that is too small', stream: '6 <13>abcdef\n', texts: ['ab', 'cdef'] },
  {
    name: 'a count that is too large',
    stream: '99 <13>app: abc\n<13>app: def\n',
    texts: ['abc\n<13>app: def'],
    errors: /octet count 99 but the stream ended after 26/,
  },
  {
    name: 'a count of nearly a gigabyte',
    stream: '999999999 <13>app: abc',
    texts: ['abc'],
    errors: /octet count 999999999 but/,
  },
  {
    name: 'a count with 20 digits',
    stream: '12345678901234567890 <13>x\n',
    texts: ['12345678901234567890 <13>x'],
    errors: noPri,
  },
  { name: 'a count of 0', stream: '0 <13>x\n', texts: ['0 <13>x'], errors: noPri },
  { name: 'a count and nothing', stream: '17 ', texts: ['17 '], errors: noPri },
  {
    name: 'a TLS ClientHello',
    stream: clientHello,
    texts: [clientHello],
    errors: noPri,
    log: /warn 127\.0\.0\.1:\d+ speaks TLS to a plain syslog port/,
  },
  {
    name: 'an HTTP request',
    stream: 'GET /a HTTP/1.1\r\nHost: b\r\n\r\n',
    texts: ['GET /a HTTP/1.1', 'Host: b'],
    errors: noPri,
    log: /warn 127\.0\.0\.1:\d+ speaks HTTP to a plain syslog port/,
  },
  { name: 'a partial line at the end', stream: '<13>app: a\n<13>app: b', texts: ['a', 'b'] },
  {
    name: 'both framings on one connection',
    stream: '<13>app: a\n10 <13>app: b11 <13>app: cd<13>app: e\n\n\r\n<13>app: f\r\n',
    texts: ['a', 'b', 'cd', 'e', 'f'],
  },
];

describe('what comes in goes out', () => {
  for (const { name, stream, texts, errors, log } of cases) {
    test(name, () =>
      withDaemon(async (daemon) => {
        await sendStream(daemon.port, Buffer.from(stream, 'latin1'));
        const documents = await waitForDocuments(daemon, texts.length);
        expect(documents.map((document) => bytesOf(document).toString('latin1'))).toEqual(texts);
        for (const { error } of errors ? documents : []) expect(error).toMatch(errors as RegExp);
        if (log) await daemon.waitForLog(log);
      }),
    );
  }
});

const numbers = Array.from({ length: 1_500_000 }, (_, n) => n).join(' ');
const long = numbers.slice(0, 10 * MEGABYTE);
const longCases = [
  { name: 'a line of 10 MB', text: long, stream: `<13>app: ${long}\n` },
  {
    name: 'an octet-counted frame of 10 MB',
    text: long.replaceAll('7 ', '7\n'),
    stream: `${long.length + 9} <13>app: ${long.replaceAll('7 ', '7\n')}`,
  },
];
for (const { name, text, stream } of longCases) {
  test(`${name} comes in parts that make it up, in little memory`, () =>
    withDaemon(async (daemon) => {
      await sendStream(daemon.port, stream);
      const count = Math.ceil(stream.length / MAX_MESSAGE_BYTES);
      const documents = await waitForDocuments(daemon, count);
      expect(documents.map(({ part }) => part)).toEqual(documents.map((_, i) => i + 1));
      expect(documents.every(({ appname }) => appname === 'app')).toBe(true);
      expect(documents.map(({ message }) => message).join('') === text).toBe(true);
      expect(peakMemory(daemon.pid)).toBeLessThan(200 * MEGABYTE);
    }));
}

test('the parts of a message that comes bit by bit all have its header', () =>
  withDaemon(
    async (daemon) => {
      const peer = await connectPeer(daemon.port);
      await peer.send(`<13>app: ${'x'.repeat(150)}`);
      await waitForDocuments(daemon, 1);
      await peer.send(`${'y'.repeat(150)}\n`);
      const documents = await waitForDocuments(daemon, 4);
      expect(documents.map(({ appname }) => appname)).toEqual(['app', 'app', 'app', 'app']);
      await peer.close();
    },
    ['--max-message-bytes', '100'],
  ));

test('a message in parts, after another connection’s with a timestamp', () =>
  withDaemon(async (daemon) => {
    await sendStream(daemon.port, '<13>1 2026-10-11T22:14:15Z h app - - - first\n');
    await waitForDocuments(daemon, 1);
    await sendStream(daemon.port, `<13>app: ${'x'.repeat(200_000)}\n`);
    const documents = await waitForDocuments(daemon, 3);
    expect(documents.map(({ part }) => part)).toEqual([undefined, 1, 2]);
  }));

test('a stream that drips byte by byte, while others are served', () =>
  withDaemon(async (daemon) => {
    const peer = await connectPeer(daemon.port);
    for (const byte of Buffer.from('<13>app: one\n11 <13>app: tw\r\n<13>app: three\r\n')) {
      await peer.send(Uint8Array.of(byte));
      await Bun.sleep(1);
    }
    const documents = await waitForDocuments(daemon, 3);
    expect(documents.map(({ message }) => message)).toEqual(['one', 'tw', 'three']);
    await sendStream(daemon.port, '<13>app: other\n');
    await waitForDocuments(daemon, 4);
    await peer.close();
  }));

test('a sender that breaks off in the middle of a frame', () =>
  withDaemon(async (daemon) => {
    let count = 0;
    for (const stream of ['<13>app: a\n<13>app: half', '<13>app: b\n90 <13>app: counted']) {
      const peer = await connectPeer(daemon.port);
      await peer.send(stream);
      await waitForDocuments(daemon, ++count);
      await peer.reset();
      await waitForDocuments(daemon, ++count);
    }
    const documents = documentsOf(daemon);
    expect(documents.map(({ message }) => message)).toEqual(['a', 'half', 'b', 'counted']);
  }));

test('what came before a reset, and was not read yet', () =>
  withDaemon(async (daemon) => {
    daemon.pause();
    const peer = await connectPeer(daemon.port);
    await peer.send('<13>app: a\n<13>app: half');
    await peer.reset();
    daemon.resume();
    const documents = await waitForDocuments(daemon, 2);
    expect(documents.map(({ message }) => message)).toEqual(['a', 'half']);
  }));

/** Checks besides that the daemon then serves the next sender, and that its sums are right. */
async function withDaemon(
  use: (daemon: Syslogger) => Promise<void>,
  args: string[] = [],
): Promise<void> {
  const daemon = await startSyslogger({ args: ['--stdout', ...args] });
  try {
    await use(daemon);
    const before = documentsOf(daemon).length;
    await sendStream(daemon.port, '<13>app: next\n');
    const documents = await waitForDocuments(daemon, before + 1);
    expect(documents.at(-1)?.message).toBe('next');
    expect(await stopDrained(daemon)).toBe(documents.length);
  } finally {
    await daemon.kill();
  }
}
