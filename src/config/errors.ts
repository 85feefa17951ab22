/** Exit codes, as sysexits(3) names them where it has a name. */
export const EXIT = {
  /** Everything that was received is acknowledged. */
  drained: 0,
  /** Something was left undelivered. */
  undelivered: 1,
  usage: 64,
  config: 78,
} as const;

/** For people: why a file can't be read. */
export function whyUnreadable(error: unknown): string {
  const { code, message } = error as Error & { code?: string };
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such file',
    ENOTDIR: 'a part of its path is no directory',
    EACCES: 'not allowed to read it',
    EISDIR: 'it is a directory',
  };
  return reasons[code ?? ''] ?? message;
}

/** The command line is wrong; the message is for the person who typed it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * The file or the environment is wrong, or what was asked for can't be had on this machine; the
 * message says what to do.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
