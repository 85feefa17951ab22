import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { run } from '../support/command.ts';
import { ensureDebian } from '../support/install.ts';
import type { Child } from '../support/process.ts';
import { tempDir } from '../support/temp.ts';
import { Fixture, killFixtures } from './harness.ts';
import { pattern } from './pattern.ts';
import { killPrograms, runProgram } from './programs.ts';
import { prepareTargets } from './targets.ts';
import { until } from './until.ts';

/** What `sockaddr_un` has room for, less the 0 at its end. */
const MOST_PATH_BYTES = 107;
const LINE_BYTES = 100;
/** The kernel's list of unix sockets. */
const SOCKETS = '/proc/net/unix';

setDefaultTimeout(30_000);

const targets = await prepareTargets();
await ensureDebian(['socat', 'logger']);

afterEach(async () => {
  await killFixtures();
  await killPrograms();
});

const hasSockets = ({ name }: { name: string }) => name === 'bun' || name === 'compiled';

const freePath = () => join(tempDir('datagrams'), 'socket');

/** A file with these bytes. */
function fileOf(bytes: Uint8Array | string): string {
  const file = join(tempDir('datagrams'), 'bytes');
  writeFileSync(file, bytes);
  return file;
}

/** The command that sends a file's bytes in datagrams of `size`, and maybe an empty one. */
function sender(path: string, file: string, size: number, ending = ''): string[] {
  return ['socat', '-u', '-b', `${size}`, `FILE:${file}`, `UNIX-SENDTO:${path}${ending}`];
}

const lines = (count: number) =>
  Array.from({ length: count }, (_, i) => `line ${i}\n`.padStart(LINE_BYTES, '.'));

/** Sends lines, one a datagram. */
const sendLines = (path: string, count: number) =>
  run(sender(path, fileOf(lines(count).join('')), LINE_BYTES));

/** Begins to, and goes on once the first are on their way. */
async function startToSend(path: string, count: number): Promise<Child> {
  const file = fileOf(lines(count).join(''));
  const child = runProgram('sender', sender(path, file, LINE_BYTES));
  await until('its first lines', () => positionIn(file, child) >= LINE_BYTES * 3);
  return child;
}

/** How far it has read the file. */
function positionIn(file: string, { pid }: Child): number {
  try {
    const opened = readdirSync(`/proc/${pid}/fd`);
    const isFile = (name: string) => readlinkSync(`/proc/${pid}/fd/${name}`) === file;
    const info = readFileSync(`/proc/${pid}/fdinfo/${opened.find(isFile)}`, 'utf8');
    return Number(/^pos:\s+(\d+)/.exec(info)?.[1]);
  } catch {
    // It is starting.
    return 0;
  }
}

/** What the fixture has been handed, once these are `count` datagrams. */
async function handed(fixture: Fixture, count: number) {
  await fixture.seen('received', count);
  await fixture.do({ do: 'tellDatagrams' });
  const datagrams = await fixture.seen('datagram', count);
  expect(datagrams.length).toBe(count);
  return datagrams;
}

async function expectLines(fixture: Fixture, count: number): Promise<void> {
  const texts = (await handed(fixture, count)).map(({ text }) => text as string);
  expect(texts).toEqual(lines(count));
}

describe.each(targets.filter(hasSockets))('$name: unix datagrams', (target) => {
  async function receiving(path = freePath(), pauseAtFirst = false) {
    const fixture = await Fixture.start(target);
    await fixture.do({ do: 'receiveUnix', path, pauseAtFirst });
    return { fixture, path };
  }

  test('many are kept apart, in their order', async () => {
    const { fixture, path } = await receiving();
    await sendLines(path, 2_000);
    await expectLines(fixture, 2_000);
  });

  test('datagrams of every size are handed out whole, to keep', async () => {
    const { fixture, path } = await receiving();
    const sizes = [1, 1_472, 65_507, 200_000];
    for (const size of sizes) await run(sender(path, fileOf(pattern(0, size)), size));
    const datagrams = await handed(fixture, sizes.length);
    expect(datagrams.map(({ bytes }) => bytes)).toEqual(sizes);
    expect(datagrams.every(({ intact }) => intact)).toBe(true);
    expect(datagrams.map(({ memory }) => memory)).toEqual(sizes);
  });

  test('empty ones are no end', async () => {
    const { fixture, path } = await receiving();
    for (const [i, text] of ['', 'a', '', 'b', ''].entries()) {
      await run(sender(path, fileOf(text), 1, text === '' ? ',shut-null' : ''));
      await fixture.seen('received', i + 1);
    }
    const texts = (await handed(fixture, 5)).map(({ text }) => text as string);
    expect(texts).toEqual(['', 'a', '', 'b', '']);
  });

  test('logger is heard', async () => {
    const { fixture, path } = await receiving();
    await run(['logger', '--socket', path, 'to a socket']);
    expect((await handed(fixture, 1))[0]?.text).toEndWith('to a socket');
  });

  test('paused, it has senders wait', async () => {
    const { fixture, path } = await receiving();
    await fixture.do({ do: 'pauseReceiver' });
    const child = await startToSend(path, 2_000);
    await fixture.settle();
    expect(fixture.all('received')).toEqual([]);
    expect(child.exit()).toBeUndefined();
    await fixture.do({ do: 'resumeReceiver' });
    expect(await child.exited).toEqual({ code: 0, signal: null });
    await expectLines(fixture, 2_000);
  });

  test('paused while it hands out what has come, it stops at once', async () => {
    const { fixture, path } = await receiving(freePath(), true);
    await fixture.freeze();
    await sendLines(path, 5);
    fixture.thaw();
    await fixture.seen('received');
    await fixture.settle();
    expect(fixture.all('received').length).toBe(1);
    await fixture.do({ do: 'resumeReceiver' });
    await expectLines(fixture, 5);
  });

  test('what waits is handed out before the close, and the path is gone', async () => {
    const { fixture, path } = await receiving();
    await fixture.freeze();
    await sendLines(path, 5);
    const closed = fixture.do({ do: 'closeReceiver' });
    fixture.thaw();
    await closed;
    expect(fixture.all('received').length).toBe(5);
    expect(existsSync(path)).toBe(false);
    fixture.tell({ do: 'detach' });
    expect(await fixture.exited()).toBe(0);
  });

  test('closed while paused, it hands out what waits, and senders wait no more', async () => {
    const { fixture, path } = await receiving();
    await fixture.do({ do: 'pauseReceiver' });
    const child = await startToSend(path, 2_000);
    await fixture.do({ do: 'closeReceiver' });
    expect(fixture.all('received').length).toBeGreaterThan(1);
    await child.exited;
  });

  test('the file of one that is gone is replaced', async () => {
    const first = await receiving();
    await first.fixture.kill();
    expect(existsSync(first.path)).toBe(true);
    const { fixture, path } = await receiving(first.path);
    await sendLines(path, 1);
    await expectLines(fixture, 1);
  });

  test('the file of one that lives is not', async () => {
    const { fixture, path } = await receiving();
    await expect(receiving(path)).rejects.toThrow(/^EADDRINUSE$/);
    await sendLines(path, 1);
    await expectLines(fixture, 1);
  });

  test('nor is that of a stream socket, or a file that is none', async () => {
    const path = freePath();
    runProgram('stream', ['socat', `UNIX-LISTEN:${path}`, 'STDOUT']);
    await until('the stream socket', () => readFileSync(SOCKETS, 'utf8').includes(path));
    await expect(receiving(path)).rejects.toThrow(/^EADDRINUSE$/);
    expect(existsSync(path)).toBe(true);
    const file = freePath();
    writeFileSync(file, 'precious');
    await expect(receiving(file)).rejects.toThrow(/^EADDRINUSE$/);
    expect(readFileSync(file, 'utf8')).toBe('precious');
  });

  test("a successor's file is left alone", async () => {
    const { fixture, path } = await receiving();
    rmSync(path);
    const successor = await receiving(path);
    await fixture.do({ do: 'closeReceiver' });
    await sendLines(path, 1);
    await expectLines(successor.fixture, 1);
  });

  test('the longest path will do, a byte more is an error', async () => {
    const longest = freePath().padEnd(MOST_PATH_BYTES, '_');
    await receiving(longest);
    expect(existsSync(longest)).toBe(true);
    await expect(receiving(`${longest}_`)).rejects.toThrow('too long');
  });

  test('a folder that is not there is an error with its code', async () => {
    await expect(receiving(join(freePath(), 'socket'))).rejects.toThrow(/^ENOENT$/);
  });
});

test.each(targets.filter((target) => !hasSockets(target)))(
  '$name has no unix datagrams',
  async (target) => {
    const fixture = await Fixture.start(target);
    const asked = fixture.do({ do: 'receiveUnix', path: freePath() });
    await expect(asked).rejects.toThrow(/^absent$/);
  },
);
