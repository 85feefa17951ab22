import { type Address, formatAddress } from '../address.ts';
import type { Forwarder } from '../forward/forwarder.ts';
import type { Ledger } from '../forward/ledger.ts';
import type { Log } from '../log.ts';
import type { Listener, Runtime } from '../runtime/runtime.ts';
import type { Format } from '../syslog/format.ts';
import { Intake } from './intake.ts';
import { type StreamStatus, SyslogStream } from './stream.ts';

/** How often a sender is looked at in the time after which it counts as silent. */
const QUIET_LOOKS = 4;

/** What may be read and not taken by the forwarder, as a share of what may be unacknowledged. */
const WAITING_SHARE = 1 / 4;

/** What every stream is given. */
export interface ListenersOptions {
  runtime: Runtime;
  log: Log;
  ledger: Ledger;
  forwarder: Forwarder;
  format: Format;
  maxMessageBytes: number;
  /** What the forwarder takes in all; streams together hold a share of it beside. */
  maxUnacknowledgedBytes: number;
  maxConnectionUnacknowledgedBytes: number;
}

/** The ways in: listening sockets, and the streams that came through them. */
export class Listeners {
  private readonly options: ListenersOptions;
  private readonly listeners: Listener[] = [];
  private readonly streams = new Set<SyslogStream>();
  private readonly intake: Intake;
  private onEmpty: () => void = () => {};

  constructor(options: ListenersOptions) {
    this.options = options;
    const { maxUnacknowledgedBytes } = options;
    this.intake = new Intake(maxUnacknowledgedBytes * WAITING_SHARE, this.streams);
  }

  /** Streams that are not read to their end yet. */
  get open(): number {
    return this.streams.size;
  }

  /** The state of each stream that is open. */
  status(): StreamStatus[] {
    return [...this.streams].map((stream) => stream.status);
  }

  /**
   * Listens on a TCP address.
   * @returns the address, with the port that it really has
   * @throws {Error} with the system's `code` if it can't
   */
  async listen(address: Address): Promise<string> {
    const { runtime, log, ledger, forwarder, format } = this.options;
    const name = `tcp://${formatAddress(address)}`;
    const listener = await runtime.listen(address, (connection) => {
      log.debug(`${connection.peer} connected to ${name}`);
      const stream = new SyslogStream(connection, {
        listener: name,
        forwarder,
        intake: this.intake,
        formatter: format.formatter(),
        maxMessageBytes: this.options.maxMessageBytes,
        maxUnacknowledgedBytes: this.options.maxConnectionUnacknowledgedBytes,
        onFinished: (finished) => this.remove(finished),
        onForeign: (peer, protocol) => {
          log.repeated(
            `foreign ${protocol}`,
            `${peer} speaks ${protocol} to a plain syslog port: what it sends is forwarded as it is`,
          );
        },
      });
      this.streams.add(stream);
      if (this.intake.isClosed) stream.pauseReading();
      ledger.connections += 1;
      return stream;
    });
    this.listeners.push(listener);
    return `tcp://${formatAddress(listener.address)}`;
  }

  /**
   * Lets nobody in any more, tells the senders to close (FIN), and reads each stream
   * to its end. A sender that has nothing to say may not notice the FIN; one that has
   * been silent for `quietMs` since is not waited for.
   * @returns how many were not waited for
   */
  async drain(quietMs: number): Promise<number> {
    await Promise.all(this.listeners.map((listener) => listener.close()));
    for (const stream of [...this.streams]) stream.halfClose();
    const emptied = new Promise<void>((resolve) => {
      this.onEmpty = resolve;
    });
    let idle = 0;
    if (this.streams.size === 0) return idle;
    const timer = setInterval(() => {
      for (const stream of [...this.streams]) if (stream.finishIfQuiet(QUIET_LOOKS)) idle += 1;
    }, quietMs / QUIET_LOOKS);
    await emptied;
    clearInterval(timer);
    return idle;
  }

  /** Takes what has come on every open stream as all there is. */
  abandon(): void {
    for (const stream of [...this.streams]) {
      stream.pauseReading();
      stream.end();
    }
  }

  private remove(stream: SyslogStream): void {
    this.streams.delete(stream);
    const { peer, received } = stream.status;
    this.options.log.debug(`${peer} is read to its end: messages received ${received}`);
    if (this.streams.size === 0) this.onEmpty();
  }
}
