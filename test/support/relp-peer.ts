import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { waitFor } from './wait.ts';

/** An answer, or what the server says on its own (transaction 0). */
export interface RelpAnswer {
  transaction: number;
  command: string;
  data: string;
}

export const OFFERS = 'relp_version=0\nrelp_software=test,1,\ncommands=syslog';

const open = new Set<Socket>();

/** A RELP client that sends what it is told to, right or wrong. */
export class RelpPeer {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  readonly answers: RelpAnswer[] = [];
  #transaction = 0;
  hasSeenEnd = false;
  isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Connects to a port of 127.0.0.1; with `isDeaf` it reads nothing until {@link listen}. */
  static async connect(port: number, { isDeaf = false } = {}): Promise<RelpPeer> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    open.add(socket);
    socket.setNoDelay(true);
    const peer = new RelpPeer(socket);
    socket.on('end', () => {
      peer.hasSeenEnd = true;
    });
    socket.on('error', () => {});
    socket.once('close', () => {
      peer.isClosed = true;
      open.delete(socket);
    });
    await once(socket, 'connect');
    if (!isDeaf) peer.listen();
    return peer;
  }

  /** Connects and opens a session, and waits for the answer. */
  static async open(port: number): Promise<RelpPeer> {
    const peer = await RelpPeer.connect(port);
    peer.send('open', OFFERS);
    await peer.waitForAnswers(1);
    return peer;
  }

  /** Reads answers from now on. */
  listen(): void {
    this.#socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#parse();
    });
  }

  /** Sends a frame with the next transaction number. @returns that number */
  send(command: string, data = ''): number {
    this.#transaction += 1;
    this.say(frame(this.#transaction, command, data));
    return this.#transaction;
  }

  /** Sends bytes as they are. */
  say(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Whether the kernel has taken all that was sent. */
  get isFlushed(): boolean {
    return this.#socket.writableLength === 0;
  }

  /** The transactions that were acknowledged, in the order of the answers. */
  get acknowledged(): number[] {
    return this.answers
      .filter(({ command, data }) => command === 'rsp' && data === '200 OK')
      .map(({ transaction }) => transaction);
  }

  async waitForAnswers(count: number): Promise<void> {
    await waitFor(`no ${count} answers`, () => this.answers.length >= count);
  }

  async waitForEnd(): Promise<void> {
    await waitFor('the server does not close', () => this.hasSeenEnd || this.isClosed);
  }

  /** Sends FIN. */
  end(): void {
    this.#socket.end();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  #parse(): void {
    for (;;) {
      const head = /^(\d+) ([a-z]+) (\d+)([ \n])/.exec(this.#received.toString('latin1', 0, 64));
      if (!head) return;
      const [whole, transaction, command = '', length, space] = head;
      const end = whole.length + (space === ' ' ? Number(length) + 1 : 0);
      if (this.#received.length < end) return;
      const data = this.#received.toString('utf8', whole.length, whole.length + Number(length));
      this.answers.push({ transaction: Number(transaction), command, data });
      this.#received = this.#received.subarray(end);
    }
  }
}

/** A RELP frame. */
export function frame(transaction: number, command: string, data = ''): string {
  const length = Buffer.byteLength(data);
  return `${transaction} ${command} ${length}${length > 0 ? ` ${data}` : ''}\n`;
}

/** Drops the connections that a test left open. */
export function dropRelpPeers(): void {
  for (const socket of open) socket.destroy();
}
