import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** One way to run the fixture. */
export interface Target {
  name: string;
  command: string[];
}

const root = join(import.meta.dir, '../..');
const bun = join(root, 'node_modules/.bin/bun');
const deno = join(root, 'node_modules/.bin/deno');
const source = join(import.meta.dir, 'fixture/main.ts');
const output = join(root, '.cache/conformance');
/** What Deno may do. Unix sockets are files. */
const allowed = ['--allow-net', '--allow-read', '--allow-write'];

/** Builds what has to be built. */
export async function prepareTargets(): Promise<Target[]> {
  const bundle = join(output, 'fixture.mjs');
  const binary = join(output, 'fixture');
  await mkdir(output, { recursive: true });
  await Promise.all([
    build('--target=node', '--outfile', bundle),
    build(
      '--compile',
      '--no-compile-autoload-dotenv',
      '--no-compile-autoload-bunfig',
      '--outfile',
      binary,
    ),
  ]);
  return [
    { name: 'bun', command: [bun, 'run', source] },
    { name: 'deno', command: [deno, 'run', '--no-lock', '--cached-only', ...allowed, source] },
    { name: 'node', command: ['node', bundle] },
    { name: 'compiled', command: [binary] },
  ];
}

async function build(...options: string[]): Promise<void> {
  const child = Bun.spawn([bun, 'build', source, ...options], { stdout: 'ignore', stderr: 'pipe' });
  if ((await child.exited) !== 0) throw new Error(await new Response(child.stderr).text());
}
