import { AF_UNIX, libc, SOCK_CLOEXEC, SOCK_DGRAM, unixAddress } from './bun-libc.ts';

/** There is a stream socket. */
const EPROTOTYPE = 91;

/** Whether somebody has a socket there. Bun's own `connect` says of every datagram socket that it refuses. */
export async function isAlive(path: string): Promise<boolean> {
  const c = await libc();
  const name = unixAddress(path);
  const descriptor = c.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const isConnected = c.connect(descriptor, c.ptr(name), name.length) === 0;
  const errno = c.errno();
  c.close(descriptor);
  return isConnected || errno === EPROTOTYPE;
}
