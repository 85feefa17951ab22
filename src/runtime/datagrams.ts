import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from '../address.ts';
import type { DatagramListener } from './runtime.ts';

/** What is handed each datagram. */
export type Receive = (datagram: Uint8Array) => void;

/** Less than any datagram takes of the kernel's buffer, which is twice what was asked for. */
const LEAST_COST = 256;
/** A runtime that was busy may need one to see what has come, and another to read it. */
const QUIET_TURNS = 3;
/** More than the kernel gives to who asks for nothing. */
const DEFAULT_BUFFER = 1 << 20;

/**
 * Receives with `node:dgram`. The contract is that of `Runtime.receive`.
 * @param bufferBytes absent where the runtime takes it for something else
 */
export async function receive(
  { host, port }: Address,
  bufferBytes: number | undefined,
  receive: Receive,
): Promise<DatagramListener> {
  const { address, family } = await lookup(host);
  const type = family === 6 ? 'udp6' : 'udp4';
  const options = bufferBytes === undefined ? {} : { recvBufferSize: bufferBytes };
  const socket = createSocket({ type, ...options });
  await bind(socket, { host: address, port });
  let received = 0;
  let isClosed = false;
  socket.on('message', (bytes) => {
    if (isClosed) return;
    received++;
    receive(isAlone(bytes) ? bytes : new Uint8Array(bytes));
  });
  const given = bufferBytes === undefined ? undefined : socket.getRecvBufferSize() / 2;
  return {
    address: { host: address, port: socket.address().port },
    ...(given !== undefined && { bufferBytes: given }),
    async close() {
      await receiveWaiting(() => received, received + mostWaiting(given ?? DEFAULT_BUFFER));
      isClosed = true;
      await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
}

/** How many datagrams can wait in a buffer of the kernel's, at most. */
export function mostWaiting(bufferBytes: number): number {
  return Math.ceil(bufferBytes / LEAST_COST);
}

function bind(socket: Socket, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address: host, port }, () => {
      socket.off('error', reject);
      // One that can't be read is lost, and no reason to stop.
      socket.on('error', () => {});
      resolve();
    });
  });
}

/** Deno keeps 64 KB for a datagram. */
function isAlone({ buffer, byteLength }: Uint8Array): boolean {
  return buffer.byteLength === byteLength;
}

/**
 * Lets the runtime hand out what the kernel has, but nothing of what is sent all the while. Deno
 * looks for input only when it has nothing else to do: `setImmediate` wouldn't do.
 */
async function receiveWaiting(received: () => number, most: number): Promise<void> {
  for (let quiet = 0; quiet < QUIET_TURNS && received() < most; ) {
    const before = received();
    await sleep(1);
    quiet = received() === before ? quiet + 1 : 0;
  }
}
