import { readSmallFile } from './read.ts';

/**
 * Finds a user's and a group's numbers, in `/etc/passwd` and `/etc/group`.
 * @param text `user` or `user:group`, each a name or a number; without a group it is the user's
 * @throws {Error} that says what is not there
 */
export function readIds(text: string): { user: number; group: number } {
  const [, userName = '', groupName] = /^([\w.-]+)(?::([\w.-]+))?$/.exec(text) ?? [];
  if (userName === '') throw new Error('it must look like user or user:group');
  const entry = findEntry('/etc/passwd', userName);
  const user = entry ? Number(entry[2]) : asNumber(userName);
  if (user === undefined) throw new Error(`there is no user ${userName}`);
  if (groupName === undefined) {
    if (!entry) throw new Error(`there is no user ${userName}: give its group as well`);
    return { user, group: Number(entry[3]) };
  }
  const groupEntry = findEntry('/etc/group', groupName);
  const group = groupEntry ? Number(groupEntry[2]) : asNumber(groupName);
  if (group === undefined) throw new Error(`there is no group ${groupName}`);
  return { user, group };
}

function asNumber(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** The fields of the line that is about this name or number. */
function findEntry(path: string, name: string): string[] | undefined {
  return readText(path)
    .split('\n')
    .map((line) => line.split(':'))
    .find(([known, , id]) => known === name || id === name);
}

function readText(path: string): string {
  try {
    return new TextDecoder().decode(readSmallFile(path));
  } catch {
    return '';
  }
}
