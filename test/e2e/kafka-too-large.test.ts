import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { readTopic } from '../support/consume.ts';
import {
  expectCleanStop,
  expectEachOnce,
  startDaemon,
  waitForRecords,
} from '../support/delivery.ts';
import { type Kafka, startKafka } from '../support/kafka.ts';
import { sendLoad, sendMessages } from '../support/load.ts';
import { createTopic, setTopicConfig } from '../support/topics.ts';
import { sleep } from '../support/wait.ts';
import { startZooKeeper, type ZooKeeper } from '../support/zookeeper.ts';

/** What a document says of the message that it is a part of. */
interface Piece {
  hostname?: string;
  appname?: string;
  message: string;
  raw?: string;
  part?: number;
  subpart?: number;
}

setDefaultTimeout(60_000);

let zookeeper: ZooKeeper;
let kafka: Kafka;

beforeAll(async () => {
  zookeeper = await startZooKeeper();
  kafka = await startKafka({ zookeeper: zookeeper.address });
});

afterAll(async () => {
  await kafka.kill();
  await zookeeper.stop();
});

/** Starts a daemon that forwards to a new topic with this limit. */
async function forwardTo(topic: string, limit: number, ...args: string[]) {
  await createTopic(kafka.address, { topic, config: { 'max.message.bytes': limit } });
  return startDaemon(['--brokers', kafka.address, '--topic', topic, ...args]);
}

/** Text of so many characters that says where in it one is, with characters of 1 to 4 bytes. */
function longText(name: string, length: number): string {
  let text = '';
  for (let n = 0; text.length < length; n++) text += `${name}:${n} "é☕\\${n % 5 ? '' : '💾'}" `;
  return text.trimEnd();
}

async function pieces(topic: string, count: number): Promise<Piece[]> {
  const records = await readTopic(kafka.address, topic, { count });
  return records.map(({ value }) => JSON.parse(value.toString()) as Piece);
}

for (const format of ['json', 'raw']) {
  test(`batches are made smaller than max.message.bytes (${format})`, async () => {
    const topic = `small-batches-${format}`;
    const syslogger = await forwardTo(topic, 20_000, '--format', format);
    await sendLoad({ port: syslogger.port, count: 30_000, connections: 3 });
    await expectCleanStop(syslogger, 30_000);
    await expectEachOnce(kafka.address, topic, 30_000);
    expect(syslogger.stderr()).toContain(`topic ${topic} does not take batches of`);
  });
}

test('max.message.bytes is lowered under load', async () => {
  const topic = 'lowered';
  const count = 100_000;
  const syslogger = await forwardTo(topic, 1_048_588);
  const load = sendLoad({ port: syslogger.port, count, rate: 25_000, connections: 3 });
  await waitForRecords(kafka.address, topic, 10_000);
  for (const limit of [60_000, 5_000]) {
    await setTopicConfig(kafka.address, topic, { 'max.message.bytes': limit });
    await sleep(800);
  }
  await load;
  await expectCleanStop(syslogger, count);
  await expectEachOnce(kafka.address, topic, count);
});

test('a message over max.message.bytes comes in parts that hold all of it, in order', async () => {
  const topic = 'parts';
  const syslogger = await forwardTo(topic, 3_000);
  const texts = Array.from({ length: 12 }, (_, n) =>
    longText(`message ${n}`, n % 3 === 0 ? 100 : 10_000),
  );
  await sendMessages(
    syslogger.port,
    texts.map((text, n) => `<13>Oct 11 22:14:15 web01 app-${n}: ${text}`),
  );
  await expectCleanStop(syslogger, 12);

  const documents = await pieces(topic, 12);
  for (const [n, text] of texts.entries()) {
    const mine = documents.filter(({ appname }) => appname === `app-${n}`);
    expect(mine.map(({ message }) => message).join('')).toBe(text);
    const numbers = mine.map(({ part }) => part);
    expect(numbers).toEqual(n % 3 === 0 ? [undefined] : mine.map((_, i) => i + 1));
    for (const { hostname } of mine) expect(hostname).toBe('web01');
  }
  const order = documents.map(({ appname }) => Number(appname?.slice('app-'.length)));
  expect(order).toEqual(order.toSorted((a, b) => a - b));
});

test('parts of a frame that came in parts already, and of one that is not UTF-8', async () => {
  const topic = 'parts-of-parts';
  const syslogger = await forwardTo(topic, 3_000, '--max-message-bytes', '8000');
  const text = longText('long', 12_000);
  const binary = Buffer.concat([
    Buffer.from('<13>Oct 11 22:14:15 web01 binary: '),
    Buffer.from(Array.from({ length: 6_000 }, (_, n) => 128 + ((n * 7) % 128))),
  ]);
  await sendMessages(syslogger.port, [`<13>Oct 11 22:14:15 web01 long: ${text}`, binary]);
  const { code, ledger } = await syslogger.stop();
  expect(code).toBe(0);
  expect(ledger).toMatch(
    /received (\d) = acknowledged \1 \+ in flight 0; unparsed \d, parts [2-9]/,
  );

  const documents = await pieces(topic, 2);
  const long = documents.filter(({ appname }) => appname === 'long');
  expect(long.map(({ message }) => message).join('')).toBe(text);
  let before = { part: 1, subpart: 0 };
  for (const { part = 0, subpart = 0 } of long) {
    const isNext = part === before.part ? subpart === before.subpart + 1 : subpart === 1;
    expect(isNext && part - before.part <= 1 && part >= before.part).toBe(true);
    before = { part, subpart };
  }
  const rest = documents.filter(({ appname }) => appname === 'binary');
  const bytes = Buffer.concat(rest.map(({ raw }) => Buffer.from(raw ?? '', 'base64')));
  expect(bytes.equals(binary)).toBe(true);
});

test('--format raw: the parts together are the frame, byte for byte', async () => {
  const topic = 'parts-raw';
  const syslogger = await forwardTo(topic, 3_000, '--format', 'raw');
  const messages = Array.from({ length: 6 }, (_, n) => `<13>app: ${longText(`raw ${n}`, 10_000)}`);
  await sendMessages(syslogger.port, messages, 'octet-counted');
  await expectCleanStop(syslogger, 6);
  const records = await readTopic(kafka.address, topic, { count: 6 });
  expect(records.length).toBeGreaterThan(6);
  expect(Buffer.concat(records.map(({ value }) => value)).toString()).toBe(messages.join(''));
});

test('a limit below any document holds the senders until it is raised', async () => {
  const topic = 'held';
  const syslogger = await forwardTo(topic, 100);
  await sendMessages(syslogger.port, ['<13>Oct 11 22:14:15 web01 app: one', '<13>two']);
  await syslogger.waitForLog(/takes no record of \d+ bytes and no parts of it either: raise its/);
  await setTopicConfig(kafka.address, topic, { 'max.message.bytes': 3_000 });
  await expectCleanStop(syslogger, 2);
  const messages = (await pieces(topic, 2)).map(({ message }) => message);
  expect(messages).toEqual(['one', 'two']);
});
