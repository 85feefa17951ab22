/**
 * A program that does with its runtime's sockets, signals and standard output
 * what it is told. It prints the port of its control connection; there it takes
 * commands and reports events, one JSON object a line.
 */
import type { Address } from '../../src/address.ts';
import { currentRuntime } from '../../src/runtime/index.ts';
import type { Connection, ConnectionHandler, Listener, Signal } from '../../src/runtime/runtime.ts';
import { socketFactory } from '../../src/runtime/sockets.ts';
import { isPattern, pattern } from './pattern.ts';

/** How the connections of a listener are served. */
export interface Service {
  /** What is done with each within `accept`. */
  atAccept?: 'pause' | 'end' | 'destroy';
  /** Whether each is paused in its first `data()`. */
  pauseAtData?: boolean;
  /** Whether what `data()` gets is released, once it is copied. */
  releaseData?: boolean;
  /** Whether each is ended when the peer ends. */
  endWithPeer?: boolean;
}

/** Each is answered with `done` or `failed` under its id. */
export type Command =
  | { do: 'ping' }
  | { do: 'listen'; address: Address; service: Service }
  | { do: 'unlisten' }
  | { do: 'pause' | 'resume' | 'end' | 'destroy' | 'useAll'; connection: number }
  | { do: 'write'; connection: number; bytes: number }
  | { do: 'fill'; connection: number }
  | { do: 'connect'; address: Address }
  | { do: 'signal'; signal: Signal; exit?: number }
  | { do: 'churn' }
  | { do: 'afterInput' }
  | { do: 'stdout'; bytes: number; chunk: number }
  | { do: 'detach' };

/** What the fixture reports. */
export type Report =
  | { event: 'done' | 'failed'; id: number; code?: string; port?: number; runtime?: string }
  | { event: 'accepted'; connection: number; peer: string }
  | { event: 'data'; connection: number; bytes: number }
  | { event: 'end'; connection: number; bytes: number; intact: boolean }
  | { event: 'closed'; connection: number; code?: string }
  | { event: 'full' | 'drained'; connection: number }
  | { event: 'signal'; signal: Signal }
  | { event: 'afterInput'; chunks: number }
  | { event: 'written'; bytes: number }
  | { event: 'connected' };

const CHUNK = 65_536;
const runtime = currentRuntime();
const connections: Connection[] = [];
let listener: Listener;
let control: Connection;
let onData = () => {};
let calling = false;

const controlListener = await runtime.listen({ host: '127.0.0.1', port: 0 }, (connection) => {
  control = connection;
  let text = '';
  return {
    data(bytes) {
      text += new TextDecoder().decode(bytes);
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) run(JSON.parse(line));
    },
    end: () => connection.end(),
    closed() {},
  };
});
await runtime.writeStdout(new TextEncoder().encode(`${controlListener.address.port}\n`));

function report(report: Report): void {
  control.write(new TextEncoder().encode(`${JSON.stringify(report)}\n`));
}

async function run(command: Command & { id: number }): Promise<void> {
  const { id } = command;
  try {
    report({ event: 'done', id, ...(await execute(command)) });
  } catch (error) {
    report({ event: 'failed', id, code: codeOf(error) ?? String(error) });
  }
}

async function execute(command: Command): Promise<{ port?: number; runtime?: string } | undefined> {
  switch (command.do) {
    case 'ping':
      return { runtime: `${runtime.name} ${runtime.version}` };
    case 'listen':
      listener = await runtime.listen(command.address, (connection) =>
        serve(connection, command.service),
      );
      return { port: listener.address.port };
    case 'unlisten':
      await listener.close();
      return;
    case 'write':
      connections[command.connection]?.write(pattern(0, command.bytes));
      return;
    case 'fill':
      fill(command.connection);
      return;
    case 'useAll':
      for (const use of ['pause', 'resume', 'end', 'destroy'] as const) {
        connections[command.connection]?.write(pattern(0, CHUNK));
        call(connections[command.connection] as Connection, use);
      }
      return;
    case 'connect':
      connect(command.address);
      return;
    case 'signal':
      runtime.onSignal(command.signal, () => {
        if (command.exit !== undefined) runtime.exit(command.exit);
        report({ event: 'signal', signal: command.signal });
      });
      return;
    case 'churn':
      churn();
      return;
    case 'afterInput':
      countInput();
      return;
    case 'stdout':
      for (let written = 0; written < command.bytes; written += command.chunk) {
        await runtime.writeStdout(pattern(written, command.chunk));
        report({ event: 'written', bytes: written + command.chunk });
      }
      return;
    case 'detach':
      await controlListener.close();
      control.end();
      return;
    default:
      call(connections[command.connection] as Connection, command.do);
      return;
  }
}

function serve(connection: Connection, service: Service): ConnectionHandler {
  const number = connections.push(connection) - 1;
  const chunks: Uint8Array[] = [];
  report({ event: 'accepted', connection: number, peer: connection.peer });
  if (service.atAccept) call(connection, service.atAccept);
  return {
    data(bytes) {
      if (service.pauseAtData && chunks.length === 0) connection.pause();
      report({ event: 'data', connection: number, bytes: bytes.length });
      chunks.push(service.releaseData ? new Uint8Array(bytes) : bytes);
      if (service.releaseData) connection.release(bytes);
      onData();
    },
    end() {
      const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      report({ event: 'end', connection: number, bytes, intact: isPattern(chunks) });
      if (service.endWithPeer) call(connection, 'end');
    },
    closed(error) {
      const code = calling ? 'REENTRANT' : codeOf(error);
      report({ event: 'closed', connection: number, ...(code !== undefined && { code }) });
    },
    drained() {
      report({ event: 'drained', connection: number });
    },
  };
}

/** Calls a method of the connection; its handler is not to be closed meanwhile. */
function call(connection: Connection, method: 'pause' | 'resume' | 'end' | 'destroy'): void {
  calling = true;
  connection[method]();
  calling = false;
}

/** Writes the pattern until the connection takes no more. */
function fill(number: number): void {
  const connection = connections[number] as Connection;
  let offset = 0;
  do offset += CHUNK;
  while (connection.write(pattern(offset - CHUNK, CHUNK)));
  report({ event: 'written', bytes: offset });
  report({ event: 'full', connection: number });
}

function connect({ host, port }: Address): void {
  const socket = socketFactory({
    host,
    port,
    ssl: undefined as never,
    onConnect() {
      report({ event: 'connected' });
      socket.end(pattern(0, CHUNK));
    },
  });
}

/** Reports how many chunks had been handed out when the task ran, counted from the first. */
function countInput(): void {
  let chunks = 0;
  onData = () => {
    chunks++;
    if (chunks === 1) runtime.afterInput(() => report({ event: 'afterInput', chunks }));
  };
}

/** Makes garbage for the rest of the process's life, so that the collector has work. */
function churn(kept: object[] = []): void {
  for (let i = 0; i < 20_000; i++) kept.push({ i, text: `${i}` });
  setTimeout(churn, 0, kept.slice(-50_000));
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? ((error as { code?: string }).code ?? error.message) : undefined;
}
