/** The C library's names: glibc's, then musl's. */
const LIBRARIES = ['libc.so.6', 'libc.so'];
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
/** Rather lose a text than wait for a receiver that doesn't read. */
const MSG_DONTWAIT = 0x40;
const FLAGS = MSG_NOSIGNAL | MSG_DONTWAIT;
/** What `sockaddr_un` has room for. */
const MAX_PATH_BYTES = 108;

/**
 * `Runtime.openNotifySocket`: no runtime has unix datagram sockets, so this calls the C library
 * that is loaded anyway.
 */
export async function openNotifySocket(path: string): Promise<(text: string) => boolean> {
  const { dlopen, ptr } = await import('bun:ffi');
  const { socket, sendto } = load(dlopen);
  const address = unixAddress(path);
  const descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw new Error('no socket can be had');
  return (text) => {
    const bytes = new TextEncoder().encode(text);
    const { length } = bytes;
    return sendto(descriptor, ptr(bytes), length, FLAGS, ptr(address), address.length) >= 0;
  };
}

function load(dlopen: typeof import('bun:ffi').dlopen) {
  let problem: unknown;
  for (const library of LIBRARIES) {
    try {
      return dlopen(library, {
        socket: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
        sendto: { args: ['i32', 'ptr', 'u64', 'i32', 'ptr', 'u32'], returns: 'i64' },
      }).symbols;
    } catch (error) {
      problem = error;
    }
  }
  throw problem;
}

/** `sockaddr_un`; a path that begins with `@` is in the abstract namespace. */
function unixAddress(path: string): Uint8Array {
  const name = new TextEncoder().encode(path);
  const isAbstract = path.startsWith('@');
  const length = name.length + (isAbstract ? 0 : 1);
  if (length > MAX_PATH_BYTES) throw new Error(`${path} is too long for a socket's name`);
  const address = new Uint8Array(2 + length);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(name, 2);
  if (isAbstract) address[2] = 0;
  return address;
}
