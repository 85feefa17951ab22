import process from 'node:process';
import packageJson from '../package.json' with { type: 'json' };

/** Put in by the build: the commit that the binary is of. */
declare const SYSLOGGER_COMMIT: string | undefined;

/** The version, as in package.json. */
export const VERSION: string = packageJson.version;
/** The commit, where it was built from one; else `source`. */
export const COMMIT: string = typeof SYSLOGGER_COMMIT === 'string' ? SYSLOGGER_COMMIT : 'source';
/** Operating system and processor. */
export const PLATFORM = `${process.platform}-${process.arch}`;
