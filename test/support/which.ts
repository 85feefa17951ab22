import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where a command is, on PATH or in the folders of system commands; undefined when nowhere. */
export function which(command: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, command))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
