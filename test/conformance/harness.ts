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
import type { Command, Report, Service } from './fixture.ts';
import { isPattern, pattern } from './pattern.ts';
import type { Target } from './targets.ts';

const HOST = '127.0.0.1';
/** How long anything may take, in ms: far longer than it ever does. */
const DEADLINE = 10_000;

type Named<E extends Report['event']> = Extract<Report, { event: E }>;
type Answer = Extract<Report, { id: number }>;

const running = new Set<Fixture>();

/** Ends every fixture that still runs. */
export async function killFixtures(): Promise<void> {
  for (const fixture of running) await fixture.kill();
}

/** Waits until `condition` gives something. */
export async function until<T>(what: string, condition: () => T | undefined | false): Promise<T> {
  for (const start = Date.now(); Date.now() - start < DEADLINE; await Bun.sleep(2)) {
    const value = condition();
    if (value !== undefined && value !== false) return value;
  }
  throw new Error(`waited in vain for ${what}`);
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

  /** Listens at a port that the system chooses, or at `port`. */
  async listen(service: Service & { port?: number } = {}): Promise<number> {
    const address = { host: HOST, port: service.port ?? 0 };
    return (await this.do({ do: 'listen', address, service })).port as number;
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

/** A client of the fixture. */
export class Peer {
  readonly #socket: Socket;
  readonly #chunks: Uint8Array[] = [];
  #sent = 0;
  ended = false;
  closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => this.#chunks.push(bytes));
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('error', () => {});
  }

  /** Connects; it reads nothing as long as it is paused. */
  static async connect(port: number, { paused = false } = {}): Promise<Peer> {
    const socket = connect({ host: HOST, port, allowHalfOpen: true });
    const peer = new Peer(socket);
    if (paused) socket.pause();
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return peer;
  }

  /** Sends the pattern's next bytes. */
  send(bytes: number): void {
    this.#socket.write(pattern(this.#sent, bytes));
    this.#sent += bytes;
  }

  /** Whether the kernel has taken all that was sent. */
  get flushed(): boolean {
    return this.#socket.writableLength === 0;
  }

  get received(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** Whether the bytes received are the pattern. */
  get intact(): boolean {
    return isPattern(this.#chunks);
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }
}
