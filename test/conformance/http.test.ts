import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { parseAnswers } from './answers.ts';
import { Fixture, killFixtures } from './harness.ts';
import { Peer } from './peer.ts';
import { prepareTargets } from './targets.ts';
import { until } from './until.ts';

const CLOSE = 'Host: x\r\nConnection: close\r\n\r\n';
const KEEP = 'Host: x\r\n\r\n';

setDefaultTimeout(30_000);

const targets = await prepareTargets();

afterEach(killFixtures);

describe.each(targets)('$name: HTTP', (target) => {
  async function serving() {
    const fixture = await Fixture.start(target);
    return { fixture, port: await fixture.serveHttp() };
  }

  /** What comes for this until the server closes the connection. */
  async function ask(port: number, text: string): Promise<string> {
    const peer = await Peer.connect(port);
    peer.say(text);
    await until('the end of the answer', () => peer.ended || peer.closed);
    peer.end();
    return peer.heard;
  }

  /** Expects that a page is there still. */
  async function expectAlive(port: number) {
    const [answer] = parseAnswers(await ask(port, `GET /alive HTTP/1.1\r\n${CLOSE}`));
    expect(answer).toMatchObject({ status: 200, body: 'this is /alive\n' });
  }

  test.each(['/path', '/path?query', '/path?a=b?c#d', '/path#anchor'])(
    'answers GET, by the path without its query: %s',
    async (path) => {
      const { port } = await serving();
      const [answer, ...more] = parseAnswers(await ask(port, `GET ${path} HTTP/1.1\r\n${CLOSE}`));
      expect(answer).toMatchObject({ status: 200, body: 'this is /path\n' });
      expect(answer?.headers).toMatchObject({
        'content-type': 'text/plain; charset=utf-8',
        'content-length': '14',
        'cache-control': 'no-store',
      });
      expect(more).toEqual([]);
    },
  );

  test('answers a real client, with the status that the handler gives', async () => {
    const { port } = await serving();
    const answer = await fetch(`http://127.0.0.1:${port}/missing`);
    expect(answer.status).toBe(404);
    expect(await answer.text()).toBe('this is /missing\n');
  });

  test('answers HTTP/1.0, and closes', async () => {
    const { port } = await serving();
    expect(await ask(port, 'GET /old HTTP/1.0\r\n\r\n')).toEndWith('\r\n\r\nthis is /old\n');
  });

  test('answers HEAD as GET, without the body', async () => {
    const { port } = await serving();
    const answers = parseAnswers(await ask(port, `HEAD /path HTTP/1.1\r\n${CLOSE}`), true);
    expect(answers).toMatchObject([{ status: 200, headers: { 'content-length': '14' } }]);
  });

  test.each([
    ['POST', 'Content-Length: 5\r\n\r\n12345'],
    ['POST', 'Content-Length: 100000000\r\n\r\n12345'],
    ['POST', 'Expect: 100-continue\r\nContent-Length: 100000000\r\n\r\n'],
    ['PUT', 'Transfer-Encoding: chunked\r\n\r\n5\r\n123'],
    ['DELETE', '\r\n'],
  ])('refuses %s, reads no body, and closes: %j', async (method, rest) => {
    const { port } = await serving();
    const text = await ask(port, `${method} /path HTTP/1.1\r\nHost: x\r\n${rest}`);
    const [answer, ...more] = parseAnswers(text.replace('HTTP/1.1 100 Continue\r\n\r\n', ''));
    expect(answer).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect(more).toEqual([]);
    await expectAlive(port);
  });

  test('answers a GET with a body, reads none of it, and closes', async () => {
    const { port } = await serving();
    const text = `GET /path HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n12345`;
    expect(parseAnswers(await ask(port, text))).toMatchObject([{ status: 200 }]);
  });

  test('answers two requests on one connection, one after the other', async () => {
    const { port } = await serving();
    const peer = await Peer.connect(port);
    peer.say(`GET /one HTTP/1.1\r\n${KEEP}`);
    await until('an answer', () => peer.heard.endsWith('this is /one\n'));
    peer.say(`GET /two HTTP/1.1\r\n${KEEP}`);
    await until('another', () => peer.heard.endsWith('this is /two\n'));
    expect(parseAnswers(peer.heard).length).toBe(2);
  });

  test('answers requests that are sent ahead, in their order', async () => {
    const { port } = await serving();
    const requests = ['/one', '/big', '/three'].map((path) => `GET ${path} HTTP/1.1\r\n${KEEP}`);
    const answers = parseAnswers(
      await ask(port, `${requests.join('')}GET /4 HTTP/1.1\r\n${CLOSE}`),
    );
    expect(answers.map(({ body }) => body)).toEqual([
      'this is /one\n',
      'x'.repeat(100_000),
      'this is /three\n',
      'this is /4\n',
    ]);
  });

  test('a handler that throws is a 500', async () => {
    const { port } = await serving();
    const answers = parseAnswers(await ask(port, `GET /broken HTTP/1.1\r\n${CLOSE}`));
    expect(answers).toMatchObject([{ status: 500 }]);
    await expectAlive(port);
  });

  test.each([
    ['garbage', '\0\x01\x02 garbage \xff\r\n\r\n', 400],
    ['TLS', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', 400],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['long headers', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    ['a long path', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${KEEP}`, 431],
  ])('refuses %s, and closes', async (_, text, status) => {
    const { port } = await serving();
    expect(await ask(port, text)).toStartWith(`HTTP/1.1 ${status} `);
    await expectAlive(port);
  });

  test('headers that never end take no memory', async () => {
    const { fixture, port } = await serving();
    const before = fixture.memory;
    const peers = await Promise.all(Array.from({ length: 20 }, () => Peer.connect(port)));
    for (const peer of peers) peer.say(`GET / HTTP/1.1\r\nA: ${'a'.repeat(4 << 20)}`);
    await until('all ends', () => peers.every((peer) => peer.closed));
    expect(fixture.memory - before).toBeLessThan(40 << 20);
    await expectAlive(port);
  });

  test('who asks for more than he reads is dropped, and takes no memory', async () => {
    const { fixture, port } = await serving();
    await expectAlive(port);
    const before = fixture.memory;
    const peers = await Promise.all(
      Array.from({ length: 5 }, () => Peer.connect(port, { paused: true })),
    );
    for (const peer of peers) peer.say(`GET /big HTTP/1.1\r\n${KEEP}`.repeat(2_000));
    for (let i = 0; i < 3; i++) await expectAlive(port);
    expect(fixture.memory - before).toBeLessThan(150 << 20);
    for (const peer of peers) peer.resume();
    await until('all ends', () => peers.every((peer) => peer.ended || peer.closed));
  });

  test('a closing listener drops its connections and frees the port at once', async () => {
    const { fixture, port } = await serving();
    const [half, idle, slow] = await Promise.all([
      Peer.connect(port),
      Peer.connect(port),
      Peer.connect(port, { paused: true }),
    ]);
    half?.say('GET');
    idle?.say(`GET /one HTTP/1.1\r\n${KEEP}`);
    slow?.say(`GET /huge HTTP/1.1\r\n${KEEP}`);
    await until('an answer', () => idle?.heard.endsWith('this is /one\n'));
    await fixture.do({ do: 'closeHttp' });
    await expect(Peer.connect(port)).rejects.toThrow('ECONNREFUSED');
    const successor = await Fixture.start(target);
    expect(await successor.serveHttp(port)).toBe(port);
    slow?.resume();
    await until('all ends', () => [half, idle, slow].every((peer) => peer?.ended || peer?.closed));
    fixture.tell({ do: 'detach' });
    expect(await fixture.exited()).toBe(0);
  });

  test('a port that is taken is an error with its code', async () => {
    const [{ fixture, port }, second] = [await serving(), await Fixture.start(target)];
    await expect(fixture.serveHttp(port)).rejects.toThrow(/^EADDRINUSE$/);
    await expect(second.serveHttp(port)).rejects.toThrow(/^EADDRINUSE$/);
    await second.serveHttp();
    await expectAlive(port);
  });
});
