import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A sender that does as it is told, byte for byte. */
export interface Peer {
  /** Resolves when the kernel has taken the bytes. */
  send(bytes: string | Uint8Array): Promise<void>;
  /** Sends FIN, and waits until the other side has closed too. */
  close(): Promise<void>;
  /** Breaks the connection off (RST). */
  reset(): Promise<void>;
  /** Whether the other side has sent its FIN. */
  hasSeenEnd(): boolean;
  /** Whether the connection is over, well or not. */
  isClosed(): boolean;
}

const open = new Set<Socket>();

/** Connects to a port of 127.0.0.1; its own half stays open after the other side's FIN. */
export async function connectPeer(port: number): Promise<Peer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  open.add(socket);
  let hasSeenEnd = false;
  let isClosed = false;
  socket.setNoDelay(true);
  socket.on('end', () => {
    hasSeenEnd = true;
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      isClosed = true;
      open.delete(socket);
      resolve();
    });
  });
  await once(socket, 'connect');
  socket.resume();
  return {
    send: (bytes) =>
      new Promise((resolve, reject) => {
        const failed = () => reject(new Error('the connection is closed'));
        socket.once('close', failed);
        socket.write(bytes, (error) => {
          socket.off('close', failed);
          if (error) reject(error);
          else resolve();
        });
      }),
    async close() {
      socket.end();
      await closed;
    },
    async reset() {
      socket.resetAndDestroy();
      await closed;
    },
    hasSeenEnd: () => hasSeenEnd,
    isClosed: () => isClosed,
  };
}

/** Sends one stream from its first byte to its end, and waits until it is read. */
export async function sendStream(port: number, bytes: string | Uint8Array): Promise<void> {
  const peer = await connectPeer(port);
  await peer.send(bytes);
  await peer.close();
}

/** Drops the connections that a test left open. */
export function dropPeers(): void {
  for (const socket of open) socket.destroy();
}
