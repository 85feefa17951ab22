import { expect } from 'bun:test';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Address } from '../../src/address.ts';
import type { TlsIdentity } from '../../src/runtime/runtime.ts';
import { rss } from '../support/process.ts';
import type { Command, Report, Service } from './protocol.ts';
import type { Target } from './targets.ts';
import { until } from './until.ts';

const HOST = '127.0.0.1';

type Named<E extends Report['event']> = Extract<Report, { event: E }>;
type Answer = Extract<Report, { id: number }>;

type OpenOptions = Partial<Omit<Extract<Command, { do: 'open' }>, 'do' | 'address'> & Address>;

function openCommand({ host = HOST, port = 0, service = {}, ...rest }: OpenOptions): Command {
  return { do: 'open', address: { host, port }, service, ...rest };
}

const running = new Set<Fixture>();

/** Ends every fixture that still runs. */
export async function killFixtures(): Promise<void> {
  for (const fixture of running) await fixture.kill();
}

/** A running fixture and its control connection. */
export class Fixture {
  readonly #child: Bun.Subprocess;
  readonly #directory: string;
  readonly #stdout: number;
  #control: Socket | undefined;
  #commands = 0;
  /** All that it has reported so far. */
  readonly reports: Report[] = [];

  private constructor(child: Bun.Subprocess, directory: string, stdout: number) {
    this.#child = child;
    this.#directory = directory;
    this.#stdout = stdout;
  }

  /** Its standard output is a FIFO or a file, read by {@link readStdout} only. */
  static async start(target: Target, stdout: 'fifo' | 'file' = 'fifo'): Promise<Fixture> {
    const directory = mkdtempSync(join(tmpdir(), 'syslogger-conformance-'));
    const path = join(directory, 'stdout');
    if (stdout === 'fifo') spawnSync('mkfifo', [path]);
    else closeSync(openSync(path, 'w'));
    const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writing = openSync(path, constants.O_WRONLY);
    const child = Bun.spawn(target.command, { stdio: ['ignore', writing, 'inherit'] });
    closeSync(writing);
    const fixture = new Fixture(child, directory, reading);
    running.add(fixture);
    await fixture.#open();
    return fixture;
  }

  /** Leaves it to {@link kill} alone to end it. */
  outlive(): void {
    running.delete(this);
  }

  async #open(): Promise<void> {
    let line = '';
    await until('the control port', () => {
      line += new TextDecoder().decode(this.readStdout());
      return line.endsWith('\n');
    });
    let text = '';
    const control = connect(Number(line), HOST);
    control.on('error', () => {});
    control.on('data', (bytes) => {
      const lines = (text + bytes.toString()).split('\n');
      text = lines.pop() ?? '';
      for (const report of lines) this.reports.push(JSON.parse(report));
    });
    this.#control = control;
  }

  /** Sends a command without waiting for its answer. */
  tell(command: Command): number {
    const id = this.#commands++;
    this.#control?.write(`${JSON.stringify({ id, ...command })}\n`);
    return id;
  }

  /** Sends a command and waits for its answer; a failure throws its code. */
  async do(command: Command): Promise<Answer> {
    const id = this.tell(command);
    const answer = await until(`the answer to ${command.do}`, () =>
      this.reports.find((report): report is Answer => 'id' in report && report.id === id),
    );
    if (answer.event === 'failed') throw new Error(answer.code ?? 'failed');
    return answer;
  }

  /** Listens at a port that the system chooses, or at `port`, and maybe over TLS. */
  async listen(
    service: Service = {},
    { port = 0, tls }: { port?: number; tls?: TlsIdentity } = {},
  ): Promise<number> {
    const address = { host: HOST, port };
    const command: Command = { do: 'listen', address, service, ...(tls && { tls }) };
    return (await this.do(command)).port as number;
  }

  /** Has it write to the first connection until the peer is slow: over TLS some may wait on the way. */
  async fill(): Promise<void> {
    for (let drained = -1; drained < this.all('drained').length; await Bun.sleep(10)) {
      drained = this.all('drained').length;
      await this.do({ do: 'fill', connection: 0 });
      await this.settle();
    }
  }

  /** Serves pages at a port that the system chooses, or at `port`. */
  async serveHttp(port = 0): Promise<number> {
    return (await this.do({ do: 'serveHttp', address: { host: HOST, port } })).port as number;
  }

  /** Opens a connection to 127.0.0.1, or to `host`. */
  async open(options: OpenOptions): Promise<void> {
    await this.do(openCommand(options));
  }

  /** The same without waiting for anything. */
  tellOpen(options: OpenOptions): void {
    this.tell(openCommand(options));
  }

  /** Expects that the connection that it opened is refused, which it tells once and nothing else. */
  async expectRefused(code: RegExp): Promise<void> {
    expect((await this.seen('closed'))[0]?.code).toMatch(code);
    await this.expectNoMore();
    expect(this.reports.filter(({ event }) => event !== 'done').length).toBe(1);
  }

  /** Expects that nothing comes after `closed`, whatever is done with the connection. */
  async expectNoMore(): Promise<void> {
    const before = this.reports.filter(({ event }) => event !== 'done').length;
    await this.do({ do: 'useAll', connection: 0 });
    await this.settle();
    expect(this.reports.filter(({ event }) => event !== 'done').length).toBe(before);
    expect(this.all('closed').length).toBe(1);
  }

  /** Goes there and back some times, so that what is under way has come to pass. */
  async settle(): Promise<void> {
    for (let i = 0; i < 3; i++) await this.do({ do: 'ping' });
  }

  /** All reports of this kind so far. */
  all<E extends Report['event']>(event: E): Named<E>[] {
    return this.reports.filter((report): report is Named<E> => report.event === event);
  }

  /** The first `count` reports of this kind, awaited. */
  async seen<E extends Report['event']>(event: E, count = 1): Promise<Named<E>[]> {
    return until(`${count} × ${event}`, () => {
      const reports = this.all(event);
      return reports.length >= count && reports;
    });
  }

  /** How many bytes the connections have been handed. */
  get received(): number {
    return this.all('data').reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** What is there now on its standard output. */
  readStdout(): Uint8Array {
    const bytes = new Uint8Array(1 << 20);
    try {
      return bytes.subarray(0, readSync(this.#stdout, bytes));
    } catch (error) {
      if ((error as { code?: string }).code === 'EAGAIN') return bytes.subarray(0, 0);
      throw error;
    }
  }

  /** Goes away as the reader of its standard output. */
  closeStdout(): void {
    closeSync(this.#stdout);
  }

  /** Its physical memory in bytes. */
  get memory(): number {
    return rss(this.pid);
  }

  get pid(): number {
    return this.#child.pid;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Holds the whole process until {@link thaw}, so that input gathers in the kernel. */
  async freeze(): Promise<void> {
    this.signal('SIGSTOP');
    const stat = `/proc/${this.#child.pid}/stat`;
    await until('the process to stop', () => readFileSync(stat, 'utf8').includes(') T '));
  }

  thaw(): void {
    this.signal('SIGCONT');
  }

  /** The exit code, awaited; null after a signal. */
  async exited(): Promise<number | null> {
    await until('the exit', () => !this.alive);
    return this.#child.exitCode;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async kill(): Promise<void> {
    running.delete(this);
    this.#control?.destroy();
    this.#child.kill('SIGKILL');
    await this.#child.exited;
    rmSync(this.#directory, { recursive: true });
  }
}
