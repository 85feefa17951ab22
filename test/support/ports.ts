import { connect, createServer } from 'node:net';
import { type WaitOptions, waitFor } from './wait.ts';

const given = new Set<number>();

/** A TCP port on 127.0.0.1 that nobody listens on, never the same one twice. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await new Promise<number>((resolve, reject) => {
      const server = createServer();
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
      });
    });
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}

/** Whether somebody accepts connections on this port of 127.0.0.1. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}

/** Waits until somebody accepts connections on this port of 127.0.0.1. */
export async function waitForPort(port: number, options?: WaitOptions): Promise<void> {
  await waitFor(`nobody listens on port ${port}`, () => isListening(port), options);
}
