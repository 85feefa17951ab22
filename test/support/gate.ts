import { onTestFinished } from 'bun:test';
import { connect, createServer, type Socket } from 'node:net';

/** Stands between a client and a server, and holds what the client sends. */
export interface Gate {
  readonly port: number;
  /** How often the client has sent something. */
  chunks(): number;
  /** Lets pass what was held, and all that comes. */
  open(): void;
}

/**
 * A gate before a port of 127.0.0.1 for one connection, for the test that runs. The client's FIN
 * never passes.
 * @param passing so many of the client's writes pass before it is opened
 */
export async function startGate(target: number, passing: number): Promise<Gate> {
  let chunks = 0;
  let isOpen = false;
  const held: Buffer[] = [];
  const sockets: Socket[] = [];
  const beyond = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true });
  const server = createServer({ allowHalfOpen: true }, (client) => {
    sockets.push(client);
    client.on('data', (bytes) => {
      chunks += 1;
      if (isOpen || chunks <= passing) beyond.write(bytes);
      else held.push(bytes);
    });
    beyond.on('data', (bytes) => client.write(bytes));
    beyond.on('end', () => client.end());
    beyond.on('close', () => client.destroy());
    client.on('error', () => {});
  });
  sockets.push(beyond);
  beyond.on('error', () => {});
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    chunks: () => chunks,
    open() {
      isOpen = true;
      for (const bytes of held.splice(0)) beyond.write(bytes);
    },
  };
}
