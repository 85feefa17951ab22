import { AF_UNIX, libc, SOCK_CLOEXEC, SOCK_DGRAM, unixAddress } from './bun-libc.ts';

const MSG_NOSIGNAL = 0x4000;
/** Rather lose a text than wait for a receiver that doesn't read. */
const MSG_DONTWAIT = 0x40;
const FLAGS = MSG_NOSIGNAL | MSG_DONTWAIT;

/** `Runtime.openNotifySocket`: no runtime has unix datagram sockets, so this calls the C library. */
export async function openNotifySocket(path: string): Promise<(text: string) => boolean> {
  const { ptr, sendto, socket } = await libc();
  const address = unixAddress(path);
  const descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw new Error('no socket can be had');
  return (text) => {
    const bytes = new TextEncoder().encode(text);
    const { length } = bytes;
    return sendto(descriptor, ptr(bytes), length, FLAGS, ptr(address), address.length) >= 0;
  };
}
