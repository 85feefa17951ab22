/** Builds what runs: `bun build.ts` makes this machine's binary and the bundle for Node. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';

const ENTRY = 'src/main.ts';
const OUT = 'dist';

rmSync(OUT, { recursive: true, force: true });

await build('dist/syslogger', {
  compile: {
    outfile: 'dist/syslogger',
    // What lies in the working directory must not change what a daemon does.
    autoloadDotenv: false,
    autoloadBunfig: false,
  },
});
await build('dist/syslogger.mjs', { target: 'node', naming: 'syslogger.mjs', outdir: OUT });

async function build(name: string, options: Partial<Bun.BuildConfig>): Promise<void> {
  const started = performance.now();
  const config = {
    entrypoints: [ENTRY],
    minify: { whitespace: true, syntax: true, identifiers: false },
    sourcemap: 'inline',
    define: { SYSLOGGER_COMMIT: JSON.stringify(commit()) },
    ...options,
  } as Bun.BuildConfig;
  await Bun.build(config);
  console.log(`${name} in ${Math.round(performance.now() - started)} ms`);
}

/** The commit that is checked out, marked where files have been changed since. */
function commit(): string {
  const describe = ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'];
  const { status, stdout } = spawnSync('git', describe, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : 'unknown';
}
