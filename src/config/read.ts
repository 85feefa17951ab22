import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';

/** More than any configuration or certificate has. */
const MAX_BYTES = 4 * 1024 * 1024;

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of its path is no directory',
  EACCES: 'not allowed to read it',
  EISDIR: 'it is a directory',
};

/**
 * Reads a file, or what comes out of a pipe.
 * @throws {Error} that says for a person why it can't be read
 */
export function readSmallFile(path: string): Uint8Array {
  try {
    const descriptor = openSync(path, 'r');
    try {
      const stat = fstatSync(descriptor);
      if (stat.isCharacterDevice()) throw new Error('it is a device, no file');
      if (stat.size > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`);
      return readFileSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    throw new Error(REASONS[code ?? ''] ?? message);
  }
}
