/** Exit codes, as sysexits(3) names them where it has a name. */
export const EXIT = {
  /** Everything that was received is acknowledged. */
  drained: 0,
  /** Something was left undelivered. */
  undelivered: 1,
  usage: 64,
  config: 78,
} as const;

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
