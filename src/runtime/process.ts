import process from 'node:process';
import type { Signal } from './runtime.ts';

/** `Runtime.onSignal` with `node:process`. */
export function onSignal(signal: Signal, handler: () => void): void {
  process.on(signal, () => handler());
}

/** `Runtime.writeStdout` with `node:process`. */
export function writeStdout(bytes: Uint8Array): Promise<void> {
  // The stream emits what the callback is told as well; unheard, that ends the process.
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', () => {});
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

/** `Runtime.afterInput`: the check phase follows the callbacks of the poll phase. */
export function afterInput(task: () => void): void {
  setImmediate(task);
}

/** `Runtime.exit`. */
export function exit(code: number): never {
  process.exit(code);
}
