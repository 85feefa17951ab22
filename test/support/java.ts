import { join } from 'node:path';
import { type Child, start } from './process.ts';

/** For a short life on a small machine: starts quickly, uses few threads. */
const forTests = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];
/** As Kafka's own start script has it. */
const forSpeed = ['-server', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20'];

const flags = [
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
  /** Runs as in production, to be measured, and not as briefly as in a test. */
  isForSpeed?: boolean;
}

/** Starts a Java program from a folder of jars. */
export function startJava(
  name: string,
  { libs, mainClass, args, heap, isForSpeed }: JavaOptions,
): Child {
  const classpath = join(libs, '*');
  const kind = isForSpeed ? forSpeed : forTests;
  return start(name, [
    'java',
    ...kind,
    ...flags,
    `-Xmx${heap}m`,
    '-cp',
    classpath,
    mainClass,
    ...args,
  ]);
}
