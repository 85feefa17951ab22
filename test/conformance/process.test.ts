import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import type { Signal } from '../../src/runtime/runtime.ts';
import { type ConnectedOptions, connected as connect } from './connected.ts';
import { Fixture, killFixtures } from './harness.ts';
import { isPattern } from './pattern.ts';
import { Peer } from './peer.ts';
import { prepareTargets } from './targets.ts';
import { until } from './until.ts';

/** More than the kernel's buffers on both sides take. */
const PLENTY = 48 << 20;

setDefaultTimeout(30_000);

const targets = await prepareTargets();

afterEach(killFixtures);

describe.each(targets)('$name: the process', (target) => {
  const connected = (options?: ConnectedOptions) => connect(target, options);

  test('knows its runtime', async () => {
    const fixture = await Fixture.start(target);
    const name = target.name === 'compiled' ? 'bun' : target.name;
    expect((await fixture.do({ do: 'ping' })).runtime).toMatch(new RegExp(`^${name} \\d+\\.\\d+`));
  });

  describe('the process', () => {
    test.each(['SIGTERM', 'SIGINT', 'SIGUSR1'] satisfies Signal[])(
      '%s arrives, each time',
      async (signal) => {
        const fixture = await Fixture.start(target);
        await fixture.do({ do: 'signal', signal });
        await fixture.do({ do: 'churn' });
        for (let count = 1; count <= 50; count++) {
          fixture.signal(signal);
          expect((await fixture.seen('signal', count)).at(-1)).toEqual({ event: 'signal', signal });
        }
        await fixture.settle();
        expect(fixture.all('signal').length).toBe(50);
      },
    );

    test.each(['SIGTERM', 'SIGINT'] satisfies Signal[])(
      'paused connections keep it alive, and %s arrives',
      async (signal) => {
        const { fixture, peer } = await connected({ pauseAtData: true });
        peer.send(PLENTY);
        await fixture.seen('data');
        await fixture.do({ do: 'signal', signal, exit: 42 });
        await fixture.do({ do: 'unlisten' });
        fixture.tell({ do: 'detach' });
        await Bun.sleep(300);
        expect(fixture.alive).toBe(true);
        fixture.signal(signal);
        expect(await fixture.exited()).toBe(42);
      },
    );

    test('it ends by itself once nothing is open', async () => {
      const { fixture, peer } = await connected({ pauseAtData: true, endWithPeer: true });
      peer.send(1_000);
      await fixture.seen('data');
      await fixture.do({ do: 'unlisten' });
      peer.end();
      await fixture.do({ do: 'resume', connection: 0 });
      await fixture.seen('closed');
      fixture.tell({ do: 'detach' });
      expect(await fixture.exited()).toBe(0);
    });

    test('afterInput comes after all the input that was ready', async () => {
      const fixture = await Fixture.start(target);
      const port = await fixture.listen();
      const peers = await Promise.all(Array.from({ length: 20 }, () => Peer.connect(port)));
      await fixture.seen('accepted', 20);
      await fixture.do({ do: 'afterInput' });
      await fixture.freeze();
      for (const peer of peers) peer.send(100);
      await until('the kernel to have it', () => peers.every((peer) => peer.flushed));
      fixture.thaw();
      expect(await fixture.seen('afterInput')).toEqual([{ event: 'afterInput', chunks: 20 }]);
    });
  });

  describe('standard output', () => {
    const TOTAL = 4 << 20;
    const WRITE = { do: 'stdout', bytes: TOTAL, chunk: 1 << 18 } as const;

    /** Reads until everything is there. */
    async function readAll(fixture: Fixture): Promise<Uint8Array[]> {
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      await until('all output', () => {
        const chunk = fixture.readStdout();
        chunks.push(chunk);
        bytes += chunk.length;
        return bytes === TOTAL;
      });
      return chunks;
    }

    test('a slow reader holds the writer, not the process', async () => {
      const fixture = await Fixture.start(target);
      await fixture.do({ do: 'signal', signal: 'SIGTERM' });
      fixture.tell(WRITE);
      await fixture.settle();
      await Bun.sleep(50);
      fixture.signal('SIGTERM');
      await fixture.seen('signal');
      expect(fixture.all('written')).toEqual([]);
      expect(isPattern(await readAll(fixture))).toBe(true);
      await fixture.seen('written', TOTAL / WRITE.chunk);
    });

    test('a file', async () => {
      const fixture = await Fixture.start(target, 'file');
      await fixture.do(WRITE);
      expect(isPattern(await readAll(fixture))).toBe(true);
    });

    test('a reader that is gone is EPIPE, each time', async () => {
      const fixture = await Fixture.start(target);
      fixture.closeStdout();
      await expect(fixture.do(WRITE)).rejects.toThrow(/^EPIPE$/);
      await fixture.settle();
      await expect(fixture.do(WRITE)).rejects.toThrow(/^EPIPE$/);
      await fixture.settle();
    });
  });
});
