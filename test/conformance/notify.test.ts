import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDebian } from '../support/install.ts';
import { type Child, start } from '../support/process.ts';
import { tempDir } from '../support/temp.ts';
import { Fixture, killFixtures } from './harness.ts';
import { prepareTargets } from './targets.ts';
import { until } from './until.ts';

const TEXTS = ['READY=1\n', 'STATUS=ünder way\n', 'STOPPING=1\n'];
/** The kernel's list of unix sockets: the names of abstract ones begin with `@`. */
const SOCKETS = '/proc/net/unix';

setDefaultTimeout(30_000);

const targets = await prepareTargets();
await ensureDebian(['socat']);

const receivers: Child[] = [];

afterEach(async () => {
  await killFixtures();
  await Promise.all(receivers.splice(0).map((receiver) => receiver.stop()));
});

const hasSockets = ({ name }: { name: string }) => name === 'bun' || name === 'compiled';

describe.each(targets.filter(hasSockets))('$name: the notify socket', (target) => {
  /** A name that nobody has. */
  const freePath = () => join(tempDir('notify'), 'socket');

  async function receive(path: string): Promise<Child> {
    const address = path.startsWith('@') ? `ABSTRACT-RECV:${path.slice(1)}` : `UNIX-RECV:${path}`;
    const receiver = start('socat', ['socat', '-u', address, 'STDOUT']);
    receivers.push(receiver);
    await until('the receiver', () => readFileSync(SOCKETS, 'utf8').includes(` ${path}\n`));
    return receiver;
  }

  test.each(['', '@'])('sends datagrams to a path or a name: %p', async (prefix) => {
    const path = `${prefix}${freePath()}`;
    const receiver = await receive(path);
    const fixture = await Fixture.start(target);
    await fixture.do({ do: 'notify', path, texts: TEXTS });
    await until('the texts', () => receiver.stdout() === TEXTS.join(''));
    expect(existsSync(path)).toBe(prefix === '');
  });

  test.each(['', '@'])('nobody listens: what is sent is lost, no more (%p)', async (prefix) => {
    const fixture = await Fixture.start(target);
    await fixture.do({ do: 'notify', path: `${prefix}${freePath()}`, texts: TEXTS });
    await fixture.settle();
  });

  test('a receiver that is gone is nobody', async () => {
    const path = freePath();
    const receiver = await receive(path);
    await receiver.stop('SIGKILL');
    const fixture = await Fixture.start(target);
    await fixture.do({ do: 'notify', path, texts: TEXTS });
    await fixture.settle();
  });

  test('a receiver that does not read holds nobody up', async () => {
    const path = freePath();
    const receiver = await receive(path);
    receiver.signal('SIGSTOP');
    const fixture = await Fixture.start(target);
    const texts = Array.from({ length: 5_000 }, () => 'WATCHDOG=1\n');
    await fixture.do({ do: 'notify', path, texts });
    receiver.signal('SIGCONT');
    await until('the first text', () => receiver.stdout().startsWith('WATCHDOG=1\n'));
  });

  test.each([
    ['a path', `/${'p'.repeat(106)}`, `/${'p'.repeat(107)}`],
    ['a name', `@${'n'.repeat(107)}`, `@${'n'.repeat(108)}`],
  ])('%s that is too long is an error, a byte less is not', async (_, longest, tooLong) => {
    const fixture = await Fixture.start(target);
    await fixture.do({ do: 'notify', path: longest, texts: TEXTS });
    await expect(fixture.do({ do: 'notify', path: tooLong, texts: TEXTS })).rejects.toThrow(
      'too long',
    );
    await fixture.settle();
  });

  test('the longest name arrives', async () => {
    const path = `@${process.pid}${'n'.repeat(107)}`.slice(0, 108);
    const receiver = await receive(path);
    const fixture = await Fixture.start(target);
    await fixture.do({ do: 'notify', path, texts: TEXTS });
    await until('the texts', () => receiver.stdout() === TEXTS.join(''));
  });
});

test.each(targets.filter((target) => !hasSockets(target)))(
  '$name has no notify socket',
  async (target) => {
    const fixture = await Fixture.start(target);
    await expect(fixture.do({ do: 'notify', path: '/any', texts: [] })).rejects.toThrow(/^absent$/);
  },
);
