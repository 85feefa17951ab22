import zookeeper, { type Client } from 'node-zookeeper-client';
import type { Address } from '../address.ts';

/** Long enough for what we ask; should the process die, ZooKeeper forgets it by then. */
const SESSION_TIMEOUT_MS = 10_000;

/** Far more than thousands of brokers register. */
const MAX_SESSION_BYTES = 16 * 1024 * 1024;

/** A path that does not exist in ZooKeeper. */
export class NoNodeError extends Error {
  override readonly name = 'NoNodeError';
}

/** What can be read in a session. Paths are below the chroot. */
export interface Session {
  /** @throws {NoNodeError} if there is no such path */
  children(path: string): Promise<string[]>;
  /** @throws {NoNodeError} if there is no such path */
  data(path: string): Promise<Uint8Array>;
}

/**
 * Opens a session with one server, uses it and closes it, all within a deadline. Each
 * is a fresh client: node-zookeeper-client does not recover well from a session that
 * expired or was cut off.
 * @param chroot empty, or a path that begins with a slash
 * @throws {Error} what `use` throws, or that there was no answer in time
 */
export async function withSession<T>(
  server: Address,
  chroot: string,
  deadlineMs: number,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const client = zookeeper.createClient(`${server.host}:${server.port}${chroot}`, {
    sessionTimeout: SESSION_TIMEOUT_MS,
    spinDelay: SESSION_TIMEOUT_MS,
    retries: 0,
  });
  // It reads its connection string up to the first colon, which IPv6 has many of.
  client.connectionManager.servers = [server];
  let isConnected = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${deadlineMs / 1000} s`));
    }, deadlineMs);
  });
  const work = (async () => {
    await new Promise<void>((resolve, reject) => {
      client.once('connected', resolve);
      connectOnce(client, reject);
    });
    isConnected = true;
    return use(sessionOf(client));
  })();
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
    // Closing asks the server to end the session, which needs one.
    if (isConnected) client.close();
    abandonLater(client, isConnected);
  }
}

/** Connects; the client would try again and again by itself, and not tell why it can't. */
function connectOnce(client: Client, onLost: (error: Error) => void): void {
  const manager = client.connectionManager;
  const { onSocketData, onSocketError } = manager;
  let reason = new Error('it closed the connection');
  // What is no ZooKeeper may send anything, and the client throws at it in the socket's event.
  let received = 0;
  manager.onSocketData = (bytes) => {
    try {
      received += bytes.length;
      if (received > MAX_SESSION_BYTES) throw new Error(`more than ${MAX_SESSION_BYTES} bytes`);
      onSocketData.call(manager, bytes);
    } catch (error) {
      reason = new Error(`it does not speak ZooKeeper's protocol (${(error as Error).message})`);
      manager.socket?.destroy();
    }
  };
  manager.onSocketError = (error) => {
    reason = error;
    onSocketError.call(manager, error);
  };
  client.connect();
  manager.connect = () => onLost(reason);
}

/** Sees to it that the socket goes. */
function abandonLater(client: Client, isConnected: boolean): void {
  const destroy = () => client.connectionManager.socket?.destroy();
  if (isConnected) setTimeout(destroy, 1_000).unref();
  else destroy();
}

function sessionOf(client: Client): Session {
  const promised = <T>(read: (done: (error: Error | null, value: T) => void) => void) =>
    new Promise<T>((resolve, reject) => {
      read((error, value) => (error ? reject(asError(error)) : resolve(value)));
    });
  return {
    children: (path) => promised((done) => client.getChildren(path, done)),
    data: (path) => promised((done) => client.getData(path, done)),
  };
}

function asError(error: Error & { getCode?: () => number }): Error {
  if (error.getCode?.() !== zookeeper.Exception.NO_NODE) return error;
  return new NoNodeError(error.message, { cause: error });
}
