import { spawn } from 'node:child_process';
import { dieWithUs } from './process.ts';

/** Runs a command to its end; throws with what it said when it fails. */
export async function run(
  command: string[],
  options: { env?: Record<string, string>; cwd?: string } = {},
): Promise<Buffer> {
  const [program, ...args] = [...dieWithUs, ...command] as [string, ...string[]];
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    ...(options.cwd && { cwd: options.cwd }),
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code === 0) return Buffer.concat(stdout);
  const said = Buffer.concat([...stdout, ...stderr])
    .toString()
    .trim();
  throw new Error(`${command.join(' ')}: exit code ${code}\n${said.slice(-4000)}`);
}
