import { bun } from './bun.ts';
import { deno } from './deno.ts';
import { node } from './node.ts';
import type { Runtime } from './runtime.ts';

/** The runtime that this program runs on. */
export function currentRuntime(): Runtime {
  if ('Bun' in globalThis) return bun;
  if ('Deno' in globalThis) return deno;
  return node;
}
