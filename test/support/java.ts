import { join } from 'node:path';
import { type Child, start } from './process.ts';

const flags = [
  // A short life on a small machine: start quickly, use few threads.
  '-XX:TieredStopAtLevel=1',
  '-XX:+UseSerialGC',
  '-Xshare:auto',
  '-Djava.net.preferIPv4Stack=true',
  '-Djava.awt.headless=true',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
];

export interface JavaOptions {
  libs: string;
  mainClass: string;
  args: string[];
  /** Maximum heap in MB. */
  heap: number;
}

/** Starts a Java program from a folder of jars. */
export function startJava(name: string, { libs, mainClass, args, heap }: JavaOptions): Child {
  const classpath = join(libs, '*');
  return start(name, ['java', ...flags, `-Xmx${heap}m`, '-cp', classpath, mainClass, ...args]);
}
