import type { Pointer } from 'bun:ffi';

/** The C library's names: glibc's, then musl's. */
const LIBRARIES = ['libc.so.6', 'libc.so'];
export const AF_UNIX = 1;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
/** What `sockaddr_un` has room for. */
const MAX_PATH_BYTES = 108;

/** What is called of the C library that is loaded anyway, for the sockets that Bun doesn't have. */
export type Libc = Awaited<ReturnType<typeof load>>;

let loading: Promise<Libc> | undefined;

/** The C library. */
export function libc(): Promise<Libc> {
  loading ??= load();
  return loading;
}

async function load() {
  const { dlopen, ptr, read } = await import('bun:ffi');
  let problem: unknown;
  for (const library of LIBRARIES) {
    try {
      const { symbols } = dlopen(library, {
        socket: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
        bind: { args: ['i32', 'ptr', 'u32'], returns: 'i32' },
        connect: { args: ['i32', 'ptr', 'u32'], returns: 'i32' },
        // Really an i64, which would be a bigint here.
        recv: { args: ['i32', 'ptr', 'u64', 'i32'], returns: 'i32' },
        sendto: { args: ['i32', 'ptr', 'u64', 'i32', 'ptr', 'u32'], returns: 'i64' },
        shutdown: { args: ['i32', 'i32'], returns: 'i32' },
        close: { args: ['i32'], returns: 'i32' },
        fcntl: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
        getsockname: { args: ['i32', 'ptr', 'ptr'], returns: 'i32' },
        getsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'ptr'], returns: 'i32' },
        setsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'u32'], returns: 'i32' },
        inet_pton: { args: ['i32', 'ptr', 'ptr'], returns: 'i32' },
        if_nametoindex: { args: ['ptr'], returns: 'u32' },
        __errno_location: { args: [], returns: 'ptr' },
      });
      return { ...symbols, ptr, errno: () => read.i32(symbols.__errno_location() as Pointer, 0) };
    } catch (error) {
      problem = error;
    }
  }
  throw problem;
}

/** `sockaddr_un`; a path that begins with `@` is in the abstract namespace. */
export function unixAddress(path: string): Uint8Array {
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
