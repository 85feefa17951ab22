import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export interface GoldenCase {
  name: string;
  /** The bytes of one stream. */
  input: Uint8Array;
  /** The documents that come of it, in order. */
  expected: string[];
  options: { maxMessageBytes?: number };
}

const folder = resolve(import.meta.dirname, '../golden');

/** All cases of test/golden. */
export function goldenCases(): GoldenCase[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('/input'))
    .sort()
    .map((path) => {
      const dir = join(folder, path, '..');
      const optionsPath = join(dir, 'options');
      return {
        name: path.slice(0, -'/input'.length),
        input: new Uint8Array(readFileSync(join(dir, 'input'))),
        expected: readFileSync(join(dir, 'expected'), 'utf8').split('\n').filter(Boolean),
        options: existsSync(optionsPath) ? JSON.parse(readFileSync(optionsPath, 'utf8')) : {},
      };
    });
}
