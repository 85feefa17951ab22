import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { sleep } from '../test/support/wait.ts';
import { type Follower, followPartition } from './follow.ts';
import type { Forwarder } from './forwarders.ts';
import { quantile } from './statistics.ts';

/** From a lone message's write to its being readable in Kafka, in ms. */
export interface Latency {
  p50: number;
  p99: number;
}

/** How many messages a forwarder gets before it is another's turn. */
const TURN = 100;
/** Between two messages, in ms: up to twice this, so that no clock of theirs is met always alike. */
const PAUSE_MS = 4;

/** It is given up after this time. */
const LATEST_MS = 15_000;

interface Path {
  socket: Socket;
  follower: Follower;
  times: number[];
}

/** Sends lone messages to forwarders in turn; the first turn is for warming up. */
export async function compareLatency(
  forwarders: Forwarder[],
  broker: string,
  turns: number,
): Promise<Latency[]> {
  const paths = await Promise.all(forwarders.map((forwarder) => openPath(forwarder, broker)));
  for (let turn = 0; turn <= turns; turn++) {
    for (const path of paths) {
      if (turn === 1) path.times.length = 0;
      for (let n = 0; n < TURN; n++) await sendOne(path, `turn${turn}-${n}`);
    }
  }
  for (const { socket, follower } of paths) {
    socket.end();
    follower.close();
  }
  return paths.map(({ times }) => ({ p50: quantile(times, 0.5), p99: quantile(times, 0.99) }));
}

async function openPath({ port, topic }: Forwarder, broker: string): Promise<Path> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  socket.resume();
  return { socket, follower: await followPartition(broker, topic, 0), times: [] };
}

async function sendOne({ socket, follower, times }: Path, mark: string): Promise<void> {
  await sleep(Math.random() * 2 * PAUSE_MS);
  const started = performance.now();
  const seen = follower.waitFor(mark);
  socket.write(
    `<38>Nov 25 22:14:15 bastion-1 sshd[331]: Accepted publickey for deploy ${mark} ssh2\n`,
  );
  const late = sleep(LATEST_MS).then(() => {
    throw new Error(`a message did not come to Kafka within ${LATEST_MS / 1000} s`);
  });
  late.catch(() => {});
  await Promise.race([seen, late]);
  times.push(performance.now() - started);
}
