/**
 * A process of its own that sends lines, so that its work is not counted as a forwarder's.
 * Its argument is a `Feed` as JSON. It says `ready` when its connections are open, begins at the
 * first byte on standard input, and ends when the receiver has read all and closed.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Kind, lines } from './corpus.ts';

/** What is to be sent. */
export interface Feed {
  port: number;
  kind: Kind;
  /** How many messages in all. */
  count: number;
  connections: number;
  /** Messages a second in all; as fast as they are read where it is absent. */
  rate?: number;
}

/** Different lines, repeated as often as is needed: more than a processor's caches hold. */
const DISTINCT_LINES = 40_000;
/** The more senders there are, the fewer lines each has at a time: together so many. */
const LINES_AT_A_TIME = 10_000;
const MOST_LINES_PER_WRITE = 500;
/** At an even rate each connection's turn comes with so many lines. */
const PACED_LINES_PER_WRITE = 20;

const feed = JSON.parse(process.argv[2]) as Feed;
const blocks = makeBlocks();
const sockets = await Promise.all(Array.from({ length: feed.connections }, open));
process.stdout.write('ready\n');
await once(process.stdin, 'data');
await (feed.rate === undefined ? sendAtOnce() : sendAtRate(feed.rate));
await Promise.all(sockets.map(close));
process.exit();

/** Whole lines, joined for one write each. */
function makeBlocks(): Uint8Array[] {
  const { count, connections, rate, kind } = feed;
  const unpaced = Math.min(MOST_LINES_PER_WRITE, LINES_AT_A_TIME / connections);
  const size = rate === undefined ? unpaced : PACED_LINES_PER_WRITE;
  if (count % (size * connections) !== 0) {
    throw new Error(`${count} messages can't be dealt out in writes of ${size}`);
  }
  const all = lines(kind, DISTINCT_LINES);
  return Array.from({ length: DISTINCT_LINES / size }, (_, i) =>
    Buffer.concat(all.slice(i * size, (i + 1) * size)),
  );
}

async function open(): Promise<Socket> {
  const socket = connect(feed.port, '127.0.0.1');
  socket.setNoDelay(true);
  // A reset shows as messages that don't arrive.
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.resume();
  return socket;
}

/** Sends FIN, and waits for the receiver's. */
async function close(socket: Socket): Promise<void> {
  if (socket.closed) return;
  const closed = once(socket, 'close');
  socket.end();
  await closed;
}

/** Each connection as fast as it is read. */
async function sendAtOnce(): Promise<void> {
  const writes = feed.count / linesPerBlock() / feed.connections;
  await Promise.all(
    sockets.map(async (socket, i) => {
      for (let n = 0; n < writes; n++) {
        if (!socket.write(blocks[(i + n * sockets.length) % blocks.length])) {
          await once(socket, 'drain');
        }
      }
    }),
  );
}

/** The connections in turn, a block each, at an even rate. */
async function sendAtRate(rate: number): Promise<void> {
  const writes = feed.count / linesPerBlock();
  const started = performance.now();
  for (let n = 0; n < writes; ) {
    const due = Math.min(writes, ((performance.now() - started) / 1000) * (rate / linesPerBlock()));
    for (; n < due; n++) sockets[n % sockets.length].write(blocks[n % blocks.length]);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function linesPerBlock(): number {
  return DISTINCT_LINES / blocks.length;
}
