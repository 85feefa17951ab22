import { chmodSync, chownSync } from 'node:fs';

/** Who may write to a unix socket. */
export interface UnixAccess {
  /** The permissions of its file. */
  mode: number;
  /** Whose it is; ours where absent. */
  owner?: { user: number; group: number };
}

/** @throws {Error} with the system's `code` if that is not allowed */
export function grantAccess(path: string, { mode, owner }: UnixAccess): void {
  chmodSync(path, mode);
  if (owner) chownSync(path, owner.user, owner.group);
}
