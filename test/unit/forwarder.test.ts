import { expect, test } from 'bun:test';
import { Forwarder, type Sender, type Share } from '../../src/forward/forwarder.ts';
import { Ledger } from '../../src/forward/ledger.ts';
import { StdoutSink } from '../../src/stdout/sink.ts';
import { createFormat } from '../../src/syslog/format.ts';

/** A sender that notes what is told to it. */
class Client implements Sender {
  share: Share | null = null;
  acknowledgedMessages = 0;
  woken = 0;

  acknowledged(share: Share): void {
    expect(share.isAcknowledged).toBe(true);
    this.acknowledgedMessages += share.messages;
  }

  proceed(): void {
    this.woken += 1;
  }
}

/** A forwarder whose sink takes a batch only when it is told to. */
function createForwarder() {
  const written: string[] = [];
  const taken: (() => void)[] = [];
  const ledger = new Ledger();
  const sink = new StdoutSink({
    write: (bytes) =>
      new Promise((resolve) => {
        taken.push(() => {
          written.push(new TextDecoder().decode(bytes));
          resolve();
        });
      }),
    onBroken: () => {},
    maxValueBytes: 1_000,
  });
  const forwarder = new Forwarder({
    ...{ sink, ledger, maxUnacknowledgedBytes: 65_536 },
    afterInput: (task) => task(),
  });
  const formatter = createFormat('raw').formatter();
  return {
    forwarder,
    ledger,
    lines: () => written.join('').split('\n').slice(0, -1),
    add(client: Client, text: string): boolean {
      const bytes = new TextEncoder().encode(text);
      const frame = { bytes, start: 0, end: bytes.length, part: 0, promised: 0, arrived: 0 };
      const share = forwarder.add(client, client.share, formatter, frame, 0);
      if (share) client.share = share;
      return share !== null;
    },
    async acknowledge() {
      taken.shift()?.();
      await Bun.sleep(0);
    },
    isBalanced: () => ledger.isBalanced(forwarder.messagesInFlight),
  };
}

test('what a sender has in the open batch is forgotten, what is on its way is not', async () => {
  const { forwarder, ledger, lines, add, acknowledge, isBalanced } = createForwarder();
  const [gone, stays] = [new Client(), new Client()];
  add(gone, 'on its way');
  forwarder.scheduleFlush();
  for (const [client, text] of [
    [stays, 'a'],
    [gone, 'b'],
    [gone, 'c'],
    [stays, 'd'],
    [gone, 'e'],
  ] as const) {
    add(client, text);
  }
  forwarder.forget(gone);
  expect(forwarder.messagesInFlight).toBe(3);
  expect(ledger).toMatchObject({ received: 6, acknowledged: 0, forgotten: 3 });
  add(stays, 'f');
  await acknowledge();
  await acknowledge();
  expect(lines()).toEqual(['on its way', 'a', 'd', 'f']);
  expect(gone.acknowledgedMessages).toBe(1);
  expect(stays.acknowledgedMessages).toBe(3);
  expect(ledger.describe(0)).toStartWith(
    'received 7 = acknowledged 4 + forgotten 3 + in flight 0; ',
  );
  expect(isBalanced()).toBe(true);
});

test('forgetting everything leaves nothing to wait for, and wakes those who wait', async () => {
  const { forwarder, add, acknowledge, isBalanced } = createForwarder();
  const [gone, held, fresh] = [new Client(), new Client(), new Client()];
  add(gone, 'first');
  forwarder.scheduleFlush();
  while (add(gone, 'x'.repeat(900)));
  expect(add(held, 'y'.repeat(900))).toBe(false);
  forwarder.awaitProgress(fresh);
  forwarder.forget(gone);
  expect({ held: held.woken, gone: gone.woken }).toEqual({ held: 1, gone: 1 });
  expect(fresh.woken).toBe(0);
  await acknowledge();
  expect(fresh.woken).toBe(1);
  expect(forwarder.messagesInFlight).toBe(0);
  expect(isBalanced()).toBe(true);
  await forwarder.idle();
});

test('a sender that has gone is not woken', async () => {
  const { forwarder, add, acknowledge } = createForwarder();
  const [filler, waiting, awaiting] = [new Client(), new Client(), new Client()];
  add(filler, 'first');
  forwarder.scheduleFlush();
  while (add(filler, 'x'.repeat(900)));
  expect(add(waiting, 'y'.repeat(900))).toBe(false);
  forwarder.awaitProgress(awaiting);
  for (const client of [waiting, awaiting]) forwarder.dismiss(client);
  await acknowledge();
  await acknowledge();
  expect({ waiting: waiting.woken, awaiting: awaiting.woken }).toEqual({ waiting: 0, awaiting: 0 });
});
