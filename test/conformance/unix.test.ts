import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDebian } from '../support/install.ts';
import { tempDir } from '../support/temp.ts';
import { CLOSED } from './closed.ts';
import { Fixture, killFixtures } from './harness.ts';
import { pattern } from './pattern.ts';
import { Peer } from './peer.ts';
import { killPrograms, runProgram } from './programs.ts';
import type { Service } from './protocol.ts';
import { prepareTargets } from './targets.ts';
import { until } from './until.ts';

const PLENTY = 4 << 20;
/** What the kernel has room for, less the 0 at its end. */
const MOST_PATH_BYTES = 107;

setDefaultTimeout(30_000);

const targets = await prepareTargets();
await ensureDebian(['socat']);

afterEach(async () => {
  await killFixtures();
  await killPrograms();
});

const freePath = () => join(tempDir('unix'), 'socket');

describe.each(targets)('$name: a unix socket', (target) => {
  async function listening(service: Service = {}, path = freePath()) {
    const fixture = await Fixture.start(target);
    await fixture.do({ do: 'listenUnix', path, service });
    return { fixture, path };
  }

  async function expectServed(fixture: Fixture, path: string): Promise<void> {
    const peer = await Peer.connect(path);
    peer.send(1_000);
    peer.end();
    // Who wanted to take its place may have knocked.
    await until('the bytes', () => fixture.all('end').some(({ bytes }) => bytes === 1_000));
  }

  test('takes what a program sends that is none of the runtimes', async () => {
    const { fixture, path } = await listening({ endWithPeer: true });
    const file = join(tempDir('unix'), 'pattern');
    writeFileSync(file, pattern(0, PLENTY));
    runProgram('socat', ['socat', '-u', `FILE:${file}`, `UNIX-CONNECT:${path}`]);
    expect(await fixture.seen('end')).toMatchObject([{ bytes: PLENTY, intact: true }]);
    expect(await fixture.seen('closed')).toEqual([CLOSED]);
  });

  test.each([false, true])('destroy drops it at once (bytes waiting: %p)', async (waiting) => {
    const { fixture, path } = await listening();
    const peer = await Peer.connect(path, { paused: waiting });
    await fixture.seen('accepted');
    if (waiting) await fixture.fill();
    await fixture.do({ do: 'destroy', connection: 0 });
    expect(await fixture.seen('closed')).toEqual([CLOSED]);
    peer.resume();
    await until('the end at the peer', () => peer.ended || peer.closed);
    await fixture.expectNoMore();
    expect(fixture.all('end')).toEqual([]);
  });

  test('who is not admitted is dropped, and nothing comes of him', async () => {
    const { fixture, path } = await listening({ turnAway: true });
    const peer = await Peer.connect(path).catch(() => undefined);
    await until('the end', () => !peer || peer.ended || peer.closed);
    await fixture.settle();
    const events = fixture.reports.map(({ event }) => event).filter((event) => event !== 'done');
    expect(events).toEqual(['admitted']);
  });

  test('a closed listener keeps its connections, and its file is gone', async () => {
    const { fixture, path } = await listening({ endWithPeer: true });
    const peer = await Peer.connect(path);
    await fixture.seen('accepted');
    await fixture.do({ do: 'unlisten' });
    expect(existsSync(path)).toBe(false);
    const successor = await listening({}, path);
    peer.send(1_000);
    peer.end();
    expect(await fixture.seen('end')).toMatchObject([{ bytes: 1_000, intact: true }]);
    expect(await fixture.seen('closed')).toEqual([CLOSED]);
    await expectServed(successor.fixture, path);
  });

  test('the file of one that is gone is replaced', async () => {
    const first = await listening();
    await first.fixture.kill();
    expect(existsSync(first.path)).toBe(true);
    const { fixture, path } = await listening({}, first.path);
    await expectServed(fixture, path);
  });

  test('the file of one that lives is not', async () => {
    const { fixture, path } = await listening();
    await expect(listening({}, path)).rejects.toThrow(/^EADDRINUSE$/);
    await expectServed(fixture, path);
  });

  test.each([
    ['UNIX-LISTEN', ',fork'],
    ['UNIX-RECV', ''],
  ])('nor is that of another: %s', async (kind, options) => {
    const path = freePath();
    const place = `${kind}:${path}${options}`;
    runProgram('socat', ['socat', '-u', place, 'STDOUT']);
    await until('the socket', () => existsSync(path));
    await expect(listening({}, path)).rejects.toThrow(/^EADDRINUSE$/);
    expect(existsSync(path)).toBe(true);
  });

  test('nor is a file that is no socket, or a link', async () => {
    const [file, link] = [freePath(), freePath()];
    writeFileSync(file, 'precious');
    symlinkSync(file, link);
    for (const path of [file, link]) {
      await expect(listening({}, path)).rejects.toThrow(/^EADDRINUSE$/);
      expect(readFileSync(path, 'utf8')).toBe('precious');
    }
  });

  test("a successor's file is left alone", async () => {
    const { fixture, path } = await listening();
    rmSync(path);
    const successor = await listening({}, path);
    await fixture.do({ do: 'unlisten' });
    await expectServed(successor.fixture, path);
  });

  test('a file that is gone already does not matter', async () => {
    const { fixture, path } = await listening();
    rmSync(path);
    await fixture.do({ do: 'unlisten' });
    expect(existsSync(path)).toBe(false);
  });

  test('the longest path will do, a byte more is an error', async () => {
    const longest = freePath()
      .padEnd(MOST_PATH_BYTES - 2, '_')
      .concat('ü');
    const { fixture } = await listening({}, longest);
    expect(existsSync(longest)).toBe(true);
    await expectServed(fixture, longest);
    await expect(listening({}, `${longest}_`)).rejects.toThrow('too long');
  });

  test('a folder that is not there is an error with its code', async () => {
    await expect(listening({}, join(freePath(), 'socket'))).rejects.toThrow(/^ENOENT$/);
  });
});
