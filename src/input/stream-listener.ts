import type { Log } from '../log.ts';
import type {
  Connection,
  ConnectionHandler,
  HandshakeFailure,
  Reception,
} from '../runtime/runtime.ts';
import type { SenderStatus } from './account.ts';
import type { InputStream } from './input-stream.ts';
import type { CreateStream } from './protocols.ts';

/** How often somebody who has connected is looked at in the time that a first message may take. */
const STRANGE_LOOKS = 4;

/** What a listener works with, and its limits. */
export interface StreamListenerOptions {
  /** Where it is to listen. */
  name: string;
  log: Log;
  /** Who comes when so many are connected is refused. */
  maxConnections: number;
  /** Who has not sent a whole message after this time is dropped, in ms. */
  firstMessageMs: number;
  /** What one of the names in a sender's certificate has to be; anybody may come where it is absent. */
  permittedNames?: readonly string[];
  createStream: CreateStream;
  /** A stream is read to its end, or a handshake is over that led to none. */
  onFinished: () => void;
}

/** One place where connections come in. */
export class StreamListener implements Reception {
  /** Where it listens, for people. */
  name: string;
  accepted = 0;
  /** Those for whom there was no room, who did not get through TLS's handshake, and who may not come. */
  refused = 0;
  /** Those who were no senders. */
  dropped = 0;
  /** The streams that are not read to their end. */
  readonly streams = new Set<InputStream>();
  private readonly options: StreamListenerOptions;
  /** All who are connected, also those in the handshake or read to their end. */
  private readonly connected = new Set<InputStream>();
  private admitted = 0;
  private isStopping = false;
  /** Messages of those who are gone. */
  private receivedBefore = 0;
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(options: StreamListenerOptions) {
    this.options = options;
    this.name = options.name;
    this.timer = setInterval(() => this.look(), options.firstMessageMs / STRANGE_LOOKS);
  }

  /** Those who are still in the handshake. */
  get greeting(): number {
    return this.admitted - this.connected.size;
  }

  /** Messages taken from its senders. */
  get received(): number {
    let received = this.receivedBefore;
    for (const stream of this.connected) received += stream.status.received;
    return received;
  }

  status(): SenderStatus[] {
    return [...this.streams].map((stream) => stream.status);
  }

  admit(peer: string): boolean {
    const { maxConnections, log } = this.options;
    if (this.admitted < maxConnections) {
      this.admitted += 1;
      return true;
    }
    this.refused += 1;
    log.repeated(
      `${this.name} is full`,
      `${this.name}: ${peer} is refused, since ${maxConnections} are connected (--max-connections)`,
    );
    return false;
  }

  accept(connection: Connection): ConnectionHandler {
    const { permittedNames, createStream, log, onFinished } = this.options;
    const { peer, names = [] } = connection;
    if (permittedNames && !names.some((name) => isPermitted(name, permittedNames))) {
      const shown = names.join(', ') || 'no name';
      this.refuse(peer, `its certificate is for ${shown}: not permitted by --tls-client-names`);
      connection.destroy();
      return NOBODY;
    }
    log.debug(`${peer} connected to ${this.name}`);
    this.accepted += 1;
    const stream = createStream(connection, {
      onFinished: () => {
        this.streams.delete(stream);
        log.debug(`${peer} is read to its end: messages received ${stream.status.received}`);
        onFinished();
      },
      onGone: () => {
        this.connected.delete(stream);
        this.admitted -= 1;
        this.receivedBefore += stream.status.received;
      },
    });
    this.streams.add(stream);
    this.connected.add(stream);
    if (this.isStopping) stream.stop();
    return stream;
  }

  failed(peer: string, failure: HandshakeFailure): void {
    this.explain(peer, failure);
    this.options.onFinished();
  }

  private explain(peer: string, { kind, message }: HandshakeFailure): void {
    // Those who look whether a port is open are no news.
    if (kind === 'gone') {
      this.admitted -= 1;
      this.options.log.debug(`${this.name}: ${peer} is gone before the handshake: ${message}`);
      return;
    }
    const reasons = {
      plain: 'does not speak TLS, which this port wants',
      silent: 'has not finished the handshake of TLS in time',
      certificate: `has no certificate that is accepted: ${message}`,
      other: `can't be spoken to over TLS: ${message}`,
    };
    this.refuse(peer, reasons[kind]);
  }

  /** Tells all senders that they should close, also those who are let in after this. */
  stop(): void {
    this.isStopping = true;
    clearInterval(this.timer);
    for (const stream of [...this.streams]) stream.stop();
  }

  private refuse(peer: string, reason: string): void {
    this.admitted -= 1;
    this.refused += 1;
    this.options.log.repeated(`${this.name} refuses`, `${this.name}: ${peer} ${reason}`);
  }

  private look(): void {
    const { log, firstMessageMs } = this.options;
    for (const stream of [...this.connected]) {
      if (!stream.dropIfStrange(STRANGE_LOOKS)) continue;
      this.dropped += 1;
      log.repeated(
        `${this.name} drops`,
        `${this.name}: ${stream.status.peer} is dropped: no whole message in ${firstMessageMs / 1000} s (--first-message-timeout)`,
      );
    }
  }
}

/** Hears of a connection that is not served. */
const NOBODY: ConnectionHandler = { data() {}, end() {}, closed() {} };

/** @param permitted names, of which one that begins with `*.` stands for any first label */
function isPermitted(name: string, permitted: readonly string[]): boolean {
  const lower = name.toLowerCase();
  const [, parent] = /^[^.]+(\..+)$/.exec(lower) ?? [];
  return permitted.some((one) => one === lower || (parent !== undefined && one === `*${parent}`));
}
