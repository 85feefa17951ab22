import { chmodSync, chownSync } from 'node:fs';
import process from 'node:process';

/** What a umask takes away from group and others. */
const PRIVATE = 0o077;

/** Who may write to a unix socket. */
export interface UnixAccess {
  /** The permissions of its file. */
  mode: number;
  /** Whose it is; ours where absent. */
  owner?: { user: number; group: number };
}

/**
 * Has a unix socket made, for nobody but ourselves until the permissions are set.
 * @throws {Error} with the system's `code` if that is not allowed
 */
export async function withAccess<T>(
  path: string,
  { mode, owner }: UnixAccess,
  listen: () => Promise<T>,
): Promise<T> {
  const umask = process.umask(PRIVATE);
  try {
    const listener = await listen();
    if (owner) chownSync(path, owner.user, owner.group);
    chmodSync(path, mode);
    return listener;
  } finally {
    process.umask(umask);
  }
}
