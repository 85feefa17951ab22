import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'syslogger-test-';
let root: string | undefined;

/** A new empty folder, under one folder of this process. */
export function tempDir(name: string): string {
  if (!root) {
    removeLeftovers();
    root = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
  }
  mkdirSync(root, { recursive: true });
  return mkdtempSync(join(root, `${name}-`));
}

/**
 * Removes the folders of processes that are gone. `bun test` runs no exit handlers, so nothing can
 * be removed as a test process ends; and so the logs of a failed run stay until the next one.
 */
export function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : 0;
    if (pid > 0 && pid !== process.pid && !isAlive(pid)) {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    }
  }
}

/** Removes the folder of this process with everything in it. */
export function removeTemp(): void {
  if (root) rmSync(root, { recursive: true, force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
