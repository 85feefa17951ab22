import { afterEach, expect, onTestFinished, setDefaultTimeout, test } from 'bun:test';
import { startDaemon } from '../support/delivery.ts';
import { documentsOf, waitForDocuments } from '../support/documents.ts';
import { openFifo } from '../support/fifo.ts';
import { connectPeer, dropPeers } from '../support/peer.ts';
import { dropRelpPeers, frame, OFFERS, RelpPeer } from '../support/relp-peer.ts';
import type { Syslogger } from '../support/syslogger.ts';
import { sleep, waitFor } from '../support/wait.ts';

const MB = 1024 * 1024;
/** More than a pipe takes, and less than that and two batches. */
const FILLERS = 700;

setDefaultTimeout(60_000);
afterEach(dropRelpPeers);
afterEach(dropPeers);

function start(...args: string[]): Promise<Syslogger> {
  return startDaemon(['--stdout', '--listen', 'relp://127.0.0.1:0', ...args]);
}

/** A daemon whose standard output nobody reads: nothing is acknowledged but what fits the pipe. */
async function startStalled(...args: string[]) {
  const fifo = await openFifo();
  const listen = ['--listen', 'relp://127.0.0.1:0', '--listen', 'tcp://127.0.0.1:0'];
  const daemon = await startDaemon(['--stdout', ...listen, ...args], { fifo: fifo.path });
  return { daemon, fifo };
}

/** Reads on until `isOver`, and gives all that came. */
async function readUntil(
  fifo: { read(): Buffer },
  isOver: () => boolean,
  begin: () => unknown = () => {},
): Promise<string[]> {
  const chunks: Buffer[] = [];
  begin();
  while (!isOver()) {
    const chunk = fifo.read();
    if (chunk.length > 0) chunks.push(chunk);
    else await sleep(1);
  }
  for (let rest = fifo.read(); rest.length > 0; rest = fifo.read()) chunks.push(rest);
  return Buffer.concat(chunks).toString().split('\n').slice(0, -1);
}

test('a session from its open to its close', async () => {
  const daemon = await start();
  const peer = await RelpPeer.open(daemon.port);
  expect(peer.answers[0]).toEqual({
    transaction: 1,
    command: 'rsp',
    data: expect.stringMatching(
      /^200 OK\nrelp_version=0\nrelp_software=syslogger,[\d.]+\ncommands=syslog$/,
    ),
  });
  peer.send('syslog', '<13>app: one');
  peer.send('syslog', '<13>app: with\nline ends\n');
  peer.send('syslog');
  peer.send('syslog', '<13>app: last');
  peer.send('close');
  await peer.waitForEnd();
  expect(peer.acknowledged).toEqual([2, 3, 4, 5, 6]);
  expect(peer.answers.at(-1)).toEqual({ transaction: 0, command: 'serverclose', data: '' });
  peer.end();
  await waitFor('it does not close', () => peer.isClosed);
  expect(documentsOf(daemon).map(({ message }) => message)).toEqual([
    'one',
    'with\nline ends',
    'last',
  ]);
  expect(await daemon.stop()).toMatchObject({
    code: 0,
    ledger: expect.stringContaining('received 3 = acknowledged 3 + in flight 0;'),
  });
});

test('a message that is too long goes in parts, and is answered once', async () => {
  const daemon = await start('--max-message-bytes', '100', '--format', 'raw');
  const peer = await RelpPeer.open(daemon.port);
  const long = `<13>app: ${'0123456789'.repeat(100)}`;
  peer.send('syslog', long);
  peer.send('syslog', '<13>app: next');
  await peer.waitForAnswers(3);
  expect(peer.acknowledged).toEqual([2, 3]);
  const lines = daemon.stdout().split('\n').slice(0, -1);
  expect(lines.length).toBe(12);
  expect(lines.slice(0, -1).join('')).toBe(long);
});

test('answers come in order, and only for what is delivered', async () => {
  const { daemon, fifo } = await startStalled();
  const peer = await RelpPeer.open(daemon.portOf('relp'));
  const count = 2_000;
  const text = 'x'.repeat(200);
  for (let n = 0; n < count; n++) peer.send('syslog', `<13>app: ${n} ${text}`);
  await waitFor('nothing is answered', () => peer.acknowledged.length > 0);
  await sleep(300);
  const answered = peer.acknowledged.length;
  expect(answered).toBeLessThan(count / 2);
  const lines = await readUntil(fifo, () => peer.acknowledged.length === count);
  fifo.close();
  expect(lines.length).toBe(count);
  expect(peer.acknowledged).toEqual(Array.from({ length: count }, (_, n) => n + 2));
});

for (const how of ['end', 'reset'] as const) {
  test(`after a client's ${how} what was not on its way is forgotten`, async () => {
    const { daemon, fifo } = await startStalled();
    const filler = await RelpPeer.open(daemon.portOf('relp'));
    // More than the pipe and the batch on its way take.
    for (let n = 0; n < FILLERS; n++)
      filler.send('syslog', `<13>app: filler ${n} ${'x'.repeat(200)}`);
    const peer = await RelpPeer.open(daemon.portOf('relp'));
    for (let n = 0; n < 100; n++) peer.send('syslog', `<13>app: forgotten ${n}`);
    await waitFor('the kernel has it', () => peer.isFlushed && filler.isFlushed);
    await sleep(300);
    peer[how]();
    await sleep(300);
    const lines = await readUntil(fifo, () => filler.acknowledged.length === FILLERS);
    expect(lines.filter((line) => line.includes('forgotten'))).toEqual([]);
    expect(lines.length).toBe(FILLERS);
    const again = await RelpPeer.open(daemon.portOf('relp'));
    again.send('syslog', '<13>app: again');
    const rest = await readUntil(fifo, () => again.acknowledged.length === 1);
    expect(rest.length).toBe(1);
    const { code, ledger } = await daemon.stop();
    fifo.close();
    expect(code).toBe(0);
    expect(ledger).toContain(
      `received ${FILLERS + 101} = acknowledged ${FILLERS + 1} + forgotten 100 + in flight 0;`,
    );
  });
}

test('what a client that has said close leaves is delivered, since it sends nothing again', async () => {
  const { daemon, fifo } = await startStalled();
  const filler = await RelpPeer.open(daemon.portOf('relp'));
  for (let n = 0; n < FILLERS; n++)
    filler.send('syslog', `<13>app: filler ${n} ${'x'.repeat(200)}`);
  const peer = await RelpPeer.open(daemon.portOf('relp'));
  peer.send('syslog', '<13>app: last words');
  peer.send('close');
  await waitFor('the kernel has it', () => peer.isFlushed && filler.isFlushed);
  await sleep(300);
  expect(peer.answers.length).toBe(1);
  peer.end();
  await sleep(300);
  const lines = await readUntil(fifo, () => filler.acknowledged.length === FILLERS);
  const rest = await readUntil(
    fifo,
    () => daemon.child.exit() !== undefined,
    () => daemon.stop(),
  );
  fifo.close();
  expect([...lines, ...rest].filter((line) => line.includes('last words')).length).toBe(1);
});

test('connections that wait for their open and go make room for others', async () => {
  const { daemon, fifo } = await startStalled('--max-connections', '20');
  const filler = await connectPeer(daemon.portOf('tcp'));
  await filler.send(`<13>app: ${'x'.repeat(500)}\n`.repeat(1_000));
  await sleep(6_000);
  for (let round = 0; round < 30; round++) {
    const peer = await RelpPeer.connect(daemon.portOf('relp'));
    peer.send('open', OFFERS);
    await waitFor('sent', () => peer.isFlushed);
    await sleep(20);
    peer.end();
    await waitFor('it is not closed', () => peer.isClosed);
    expect(peer.answers).toEqual([]);
  }
  expect(daemon.stderr()).not.toInclude('is refused');
  fifo.close();
  await daemon.kill();
});

test('an open is one frame, however short messages have to be', async () => {
  const daemon = await start('--max-message-bytes', '64');
  const peer = await RelpPeer.connect(daemon.port);
  peer.send('open', `${OFFERS}\nmore=${'x'.repeat(500)}`);
  peer.send('syslog', '<13>app: hello');
  await peer.waitForAnswers(2);
  expect(peer.acknowledged).toEqual([2]);
});

test('a session that is opened while nothing is delivered waits, and begins by itself', async () => {
  const { daemon, fifo } = await startStalled();
  const filler = await connectPeer(daemon.portOf('tcp'));
  await filler.send(`<13>app: ${'x'.repeat(500)}\n`.repeat(1_000));
  await sleep(6_000);
  const peer = await RelpPeer.connect(daemon.portOf('relp'));
  peer.send('open', OFFERS);
  peer.send('syslog', '<13>app: late');
  await sleep(1_000);
  expect(peer.answers).toEqual([]);
  const lines = await readUntil(fifo, () => peer.answers.length === 2);
  expect(peer.acknowledged).toEqual([2]);
  expect(lines.length).toBe(1_001);
  fifo.close();
  await daemon.kill();
});

test('the stop answers what it has taken, says serverclose, and takes nothing more', async () => {
  const daemon = await start();
  const peer = await RelpPeer.open(daemon.port);
  peer.send('syslog', '<13>app: before');
  await peer.waitForAnswers(2);
  daemon.child.signal('SIGTERM');
  await peer.waitForEnd();
  peer.send('syslog', '<13>app: too late');
  await sleep(100);
  peer.end();
  expect(await daemon.child.exited).toEqual({ code: 0, signal: null });
  expect(peer.answers.slice(1)).toEqual([
    { transaction: 2, command: 'rsp', data: '200 OK' },
    { transaction: 0, command: 'serverclose', data: '' },
  ]);
  expect(documentsOf(daemon).map(({ message }) => message)).toEqual(['before']);
});

test('a client in the middle of a long message does not hold the stop', async () => {
  const { daemon, fifo } = await startStalled('--max-message-bytes', '1000');
  const filler = await RelpPeer.open(daemon.portOf('relp'));
  for (let n = 0; n < FILLERS; n++)
    filler.send('syslog', `<13>app: filler ${n} ${'x'.repeat(200)}`);
  const peer = await RelpPeer.open(daemon.portOf('relp'));
  peer.say(`2 syslog 1000000 <13>app: ${'x'.repeat(5_000)}`);
  await waitFor('the kernel has it', () => peer.isFlushed && filler.isFlushed);
  await sleep(300);
  daemon.child.signal('SIGTERM');
  await sleep(500);
  const lines = await readUntil(fifo, () => peer.hasSeenEnd && filler.hasSeenEnd);
  expect(lines.length).toBeGreaterThan(FILLERS);
  expect(peer.answers.slice(1)).toEqual([{ transaction: 0, command: 'serverclose', data: '' }]);
  expect(filler.acknowledged.length).toBe(FILLERS);
  expect(await daemon.child.exited).toEqual({ code: 0, signal: null });
  fifo.close();
});

test('a client that goes on after serverclose does not hold the stop', async () => {
  const daemon = await start('--drain-timeout', '30');
  const peer = await RelpPeer.open(daemon.port);
  const sending = setInterval(() => peer.send('syslog', '<13>app: more'), 20);
  onTestFinished(() => clearInterval(sending));
  await waitForDocuments(daemon, 1);
  const { code, ledger } = await daemon.stop();
  clearInterval(sending);
  expect(code).toBe(0);
  const answered = peer.acknowledged.length;
  expect(documentsOf(daemon).length).toBe(answered);
  expect(ledger).toContain(`received ${answered} = acknowledged ${answered} + in flight 0;`);
});

const CLOSED = 'the connection is closed';

for (const [what, bytes, said] of [
  ['plain syslog', '<13>app: hello\n', `speaks plain syslog to a RELP port: ${CLOSED}`],
  ['counted syslog', '14 <13>app: hello', `speaks plain syslog to a RELP port: ${CLOSED}`],
  ['HTTP', 'GET / HTTP/1.1\r\n\r\n', `speaks HTTP to a RELP port: ${CLOSED}`],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc', `speaks TLS to a RELP port: ${CLOSED}`],
  ['a message before open', frame(1, 'syslog', 'x'), 'speaks no RELP: syslog is not expected here'],
  [
    'a second open',
    frame(1, 'open', OFFERS) + frame(2, 'open', OFFERS),
    'speaks no RELP: open is not expected here',
  ],
  [
    'an unknown command',
    frame(1, 'open', OFFERS) + frame(2, 'starttls', 'x'),
    'speaks no RELP: starttls is not expected here',
  ],
  ['a giant open', '1 open 999999999 x', 'speaks no RELP: a command open of 999999999 bytes'],
  ['a giant number', '12345678901 open 1 x\n', 'speaks no RELP: no transaction number'],
  [
    'no trailer',
    `${frame(1, 'open', OFFERS)}2 syslog 3 abcd\n`,
    'speaks no RELP: no line end behind the data',
  ],
] as const) {
  test(`${what}: the connection is closed, the log says why, others are served`, async () => {
    const daemon = await start();
    const other = await RelpPeer.open(daemon.port);
    const peer = await RelpPeer.connect(daemon.port);
    peer.say(Buffer.from(bytes, 'latin1'));
    await waitFor('it is not closed', () => peer.isClosed);
    expect(daemon.stderr()).toInclude(said);
    expect(peer.answers.filter(({ data }) => !data.startsWith('200 OK'))).toEqual([]);
    other.send('syslog', '<13>app: other');
    await other.waitForAnswers(2);
    expect(other.acknowledged).toEqual([2]);
  });
}

test('wrong transaction numbers are answered as they came', async () => {
  const daemon = await start();
  const peer = await RelpPeer.open(daemon.port);
  const numbers = [7, 7, 0, 999_999_999, 1, 3];
  for (const number of numbers) peer.say(frame(number, 'syslog', `<13>app: ${number}`));
  await peer.waitForAnswers(1 + numbers.length);
  expect(peer.acknowledged).toEqual(numbers);
});

test('a length of a gigabyte is taken in parts, in flat memory', async () => {
  const daemon = await start();
  const peer = await RelpPeer.open(daemon.port);
  peer.say('2 syslog 999999999 ');
  const block = 'x'.repeat(MB);
  for (let n = 0; n < 100; n++) {
    peer.say(block);
    await waitFor('the kernel takes it', () => peer.isFlushed);
  }
  await waitFor('the parts come', () => documentsOf(daemon).length > 700);
  expect(daemon.rss()).toBeLessThan(250 * MB);
  expect(peer.acknowledged).toEqual([]);
  peer.reset();
});

test('clients that never read their answers are dropped, in flat memory, and harm nobody', async () => {
  const daemon = await start('--listen', 'tcp://127.0.0.1:0');
  const many = Array.from({ length: 10_000 }, (_, n) => frame(n + 2, 'syslog', '<13>app: x'));
  const block = many.join('');
  const deaf = await Promise.all(
    Array.from({ length: 12 }, () => RelpPeer.connect(daemon.portOf('relp'), { isDeaf: true })),
  );
  for (const peer of deaf) peer.send('open', OFFERS);
  let sent = 0;
  await waitFor('they are dropped', () => {
    for (const peer of deaf) {
      if (!peer.isClosed && peer.isFlushed) {
        peer.say(block);
        sent += 1;
      }
    }
    return deaf.every((peer) => peer.isClosed);
  });
  expect(daemon.stderr()).toMatch(/127\.0\.0\.1:\d+ speaks no RELP: it does not read its answers/);
  expect(sent).toBeLessThan(12 * 200);
  expect(daemon.rss()).toBeLessThan(250 * MB);
  const before = documentsOf(daemon).length;
  const plain = await connectPeer(daemon.portOf('tcp'));
  await plain.send('<13>app: plain\n');
  const other = await RelpPeer.open(daemon.portOf('relp'));
  other.send('syslog', '<13>app: other');
  await other.waitForAnswers(2);
  await waitForDocuments(daemon, before + 2);
});

test('empty messages without end, while nothing is delivered, are held in flat memory', async () => {
  const { daemon, fifo } = await startStalled();
  const peer = await RelpPeer.open(daemon.portOf('relp'));
  for (let n = 0; n < FILLERS; n++) peer.send('syslog', `<13>app: ${n} ${'x'.repeat(200)}`);
  await sleep(300);
  const block = frame(5, 'syslog').repeat(50_000);
  let isTaken = true;
  for (let n = 0; n < 100 && isTaken; n++) {
    peer.say(block);
    isTaken = await waitFor('held', () => peer.isFlushed, { timeoutMs: 1_000 }).then(
      () => true,
      () => false,
    );
  }
  expect(isTaken).toBe(false);
  expect(daemon.rss()).toBeLessThan(250 * MB);
  fifo.close();
  await daemon.kill();
});

test('connections that end anywhere within a frame leave nothing behind', async () => {
  const daemon = await start();
  const whole = frame(1, 'open', OFFERS) + frame(2, 'syslog', '<13>app: whole');
  for (let length = 0; length < whole.length; length += 3) {
    const peer = await RelpPeer.connect(daemon.port);
    peer.say(whole.slice(0, length));
    await waitFor('sent', () => peer.isFlushed);
    peer[length % 2 === 0 ? 'end' : 'reset']();
    await waitFor('closed', () => peer.isClosed);
  }
  const peer = await RelpPeer.open(daemon.port);
  peer.send('syslog', '<13>app: last');
  await peer.waitForAnswers(2);
  const documents = await waitForDocuments(daemon, 1);
  expect(new Set(documents.map(({ message }) => message))).toEqual(new Set(['last']));
  expect((await daemon.stop()).code).toBe(0);
});
