import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.ts';
import { tempDir } from './temp.ts';

/** A FIFO whose reader reads only when it is told to. */
export interface Fifo {
  readonly path: string;
  /** What is there now, at most 64 KB; empty when there is nothing. */
  read(): Buffer;
  /** Nobody reads any more: writers get EPIPE. */
  close(): void;
}

/** Makes a FIFO and opens it for reading, so that writers needn't wait for that. */
export async function openFifo(): Promise<Fifo> {
  const path = join(tempDir('fifo'), 'fifo');
  await run(['mkfifo', path]);
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const buffer = Buffer.alloc(65_536);
  return {
    path,
    read() {
      try {
        return Buffer.from(buffer.subarray(0, readSync(fd, buffer)));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return Buffer.alloc(0);
        throw error;
      }
    },
    close: () => closeSync(fd),
  };
}
