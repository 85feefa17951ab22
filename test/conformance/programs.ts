import { type Child, start } from '../support/process.ts';

const running: Child[] = [];

/** Runs a program until {@link killPrograms}: it is none of the runtimes. */
export function runProgram(name: string, command: string[]): Child {
  const child = start(name, command);
  running.push(child);
  return child;
}

/** Ends all of them. */
export async function killPrograms(): Promise<void> {
  await Promise.all(running.splice(0).map((child) => child.kill()));
}
