import type { Forwarder } from '../forward/forwarder.ts';
import type { Log } from '../log.ts';
import type {
  Listener,
  PortListener,
  Runtime,
  TlsIdentity,
  TlsListener,
} from '../runtime/runtime.ts';
import type { Format } from '../syslog/format.ts';
import type { SenderStatus } from './account.ts';
import { DatagramInput } from './datagram-input.ts';
import { type Endpoint, formatEndpoint, isSecured } from './endpoint.ts';
import type { InputStream } from './input-stream.ts';
import { Intake } from './intake.ts';
import { kernelDrops } from './kernel-drops.ts';
import { protocolOf } from './protocols.ts';
import { StreamListener } from './stream-listener.ts';
import { type UnixAccess, withAccess } from './unix-access.ts';

/** How often a sender is looked at in the time after which it counts as silent. */
const QUIET_LOOKS = 4;

/** What may be read and not taken by the forwarder, as a share of what may be unacknowledged. */
const WAITING_SHARE = 1 / 4;

/** What listens at a path, or at a port. */
type Bound = Listener | PortListener;

/** What every way in is given. */
export interface ListenersOptions {
  runtime: Runtime;
  log: Log;
  forwarder: Forwarder;
  format: Format;
  maxMessageBytes: number;
  /** What the forwarder takes in all; streams together hold a share of it beside. */
  maxUnacknowledgedBytes: number;
  maxConnectionUnacknowledgedBytes: number;
  /** Of each listener. */
  maxConnections: number;
  firstMessageMs: number;
  /** Of each listener; beyond it datagrams are lost. */
  datagramBufferBytes: number;
  /** Who may use our unix sockets. */
  unixAccess: UnixAccess;
  /** What those who listen over TLS show; present where one does. */
  tls?: { identity: TlsIdentity; permittedNames?: readonly string[] };
}

/** What one way in has had so far, for people and metrics. */
export interface ListenerStatus {
  listener: string;
  received: number;
  /** Connections, and absent where there are none. */
  connections?: { open: number; accepted: number; refused: number; dropped: number };
  /** Datagrams that were thrown away; absent where there are none. */
  lost?: number;
}

/** The ways in: listening sockets, and the streams and datagrams that come through them. */
export class Listeners {
  private readonly options: ListenersOptions;
  private readonly bound: Bound[] = [];
  private readonly secured: TlsListener[] = [];
  private readonly streamListeners: StreamListener[] = [];
  private readonly datagramInputs: DatagramInput[] = [];
  private readonly intake: Intake;
  private onEmpty: () => void = () => {};
  /** Who is in the handshake has something to send. */
  private awaitsHandshakes = true;

  constructor(options: ListenersOptions) {
    this.options = options;
    const streams = { [Symbol.iterator]: () => this.streams() };
    this.intake = new Intake(options.maxUnacknowledgedBytes * WAITING_SHARE, streams);
  }

  /** Senders that are not read to their end yet. */
  get open(): number {
    const waiting = this.datagramInputs.filter(({ isEmpty }) => !isEmpty).length;
    return this.streamListeners.reduce((sum, { streams }) => sum + streams.size, waiting);
  }

  /** Connections accepted since the start. */
  get accepted(): number {
    return this.streamListeners.reduce((sum, { accepted }) => sum + accepted, 0);
  }

  /** The state of each sender that is connected, and of each socket that gets datagrams. */
  senders(): (SenderStatus & { listener: string })[] {
    return [
      ...this.streamListeners.flatMap((listener) =>
        listener.status().map((status) => ({ listener: listener.name, ...status })),
      ),
      ...this.datagramInputs.map(({ name, status }) => ({ listener: name, ...status })),
    ];
  }

  /** What each of them has had. */
  status(): ListenerStatus[] {
    return [
      ...this.streamListeners.map(({ name, received, streams, accepted, refused, dropped }) => ({
        listener: name,
        received,
        connections: { open: streams.size, accepted, refused, dropped },
      })),
      ...this.datagramInputs.map(({ name, received, lost }) => ({
        listener: name,
        received,
        lost,
      })),
    ];
  }

  /**
   * Begins to take syslog at an endpoint.
   * @returns where it really does, with the port that the system chose
   * @throws {Error} with the system's `code` if it can't
   */
  async listen(endpoint: Endpoint): Promise<string> {
    const isForDatagrams = endpoint.scheme === 'udp' || endpoint.scheme === 'unix-dgram';
    const input = isForDatagrams
      ? this.createDatagramInput(endpoint)
      : this.createStreamListener(endpoint);
    const bind = () =>
      input instanceof DatagramInput ? this.receive(endpoint, input) : this.accept(endpoint, input);
    const listener = await ('path' in endpoint
      ? withAccess(endpoint.path, this.options.unixAccess, bind)
      : bind());
    this.bound.push(listener);
    input.name = formatEndpoint({ ...endpoint, ...('address' in listener && listener) });
    return input.name;
  }

  /**
   * Shows other certificates from now on.
   * @throws {Error} if they can't be used; the old ones stay in force
   */
  renew(identity: TlsIdentity): void {
    for (const listener of this.secured) listener.renew(identity);
  }

  /**
   * Lets nobody in any more, tells the senders to close, and reads each stream
   * to its end. A sender that has nothing to say may not notice; one that has
   * been silent for `quietMs` since is not waited for, nor is a handshake any longer.
   * @returns how many were not waited for
   */
  async drain(quietMs: number): Promise<number> {
    for (const input of this.datagramInputs) input.closing();
    const closed = await Promise.allSettled(this.bound.map((listener) => listener.close()));
    for (const { reason } of closed.filter((one) => one.status === 'rejected')) {
      this.options.log.warn(`a listener can't be closed: ${(reason as Error).message}`);
    }
    for (const listener of this.streamListeners) listener.stop();
    const emptied = new Promise<void>((resolve) => {
      this.onEmpty = resolve;
    });
    let idle = 0;
    let looks = 0;
    const timer = setInterval(() => {
      looks += 1;
      for (const stream of [...this.streams()]) if (stream.finishIfQuiet(QUIET_LOOKS)) idle += 1;
      if (looks > QUIET_LOOKS) this.awaitsHandshakes = false;
      this.finishIfEmpty();
    }, quietMs / QUIET_LOOKS);
    this.finishIfEmpty();
    await emptied;
    clearInterval(timer);
    return idle;
  }

  /** Takes what has come on every open stream as all there is. */
  abandon(): void {
    for (const stream of [...this.streams()]) stream.abandon();
  }

  private *streams(): Generator<InputStream> {
    for (const { streams } of this.streamListeners) yield* streams;
  }

  private async accept(endpoint: Endpoint, reception: StreamListener): Promise<Bound> {
    const { runtime, tls } = this.options;
    if ('path' in endpoint) return runtime.listenUnix(endpoint.path, reception);
    if (!isSecured(endpoint)) return runtime.listen(endpoint.address, reception);
    if (!tls) throw new Error('there is no certificate');
    const listener = await runtime.listenTls(endpoint.address, tls.identity, reception);
    this.secured.push(listener);
    return listener;
  }

  private async receive(endpoint: Endpoint, input: DatagramInput): Promise<Bound> {
    const { runtime, log, datagramBufferBytes } = this.options;
    const take = (datagram: Uint8Array) => input.receive(datagram);
    if ('path' in endpoint) {
      if (!runtime.receiveUnix) throw new Error(`${runtime.name} has no unix datagram sockets`);
      const bound = await runtime.receiveUnix(endpoint.path, take);
      input.attach(bound);
      return bound;
    }
    const bound = await runtime.receive(endpoint.address, datagramBufferBytes, take);
    // The kernel forgets with the socket.
    let known = 0;
    const drops = () => {
      known = Math.max(known, kernelDrops(bound.address) ?? 0);
      return known;
    };
    input.attach({ pause: () => bound.pause?.(), resume: () => bound.resume?.(), drops });
    const { bufferBytes = datagramBufferBytes } = bound;
    if (bufferBytes < datagramBufferBytes) {
      log.warn(
        `${input.name}: the kernel keeps ${bufferBytes} bytes instead of ` +
          `${datagramBufferBytes}: raise net.core.rmem_max`,
      );
    }
    return bound;
  }

  private createStreamListener(endpoint: Endpoint): StreamListener {
    const { log, forwarder, format, maxConnections, firstMessageMs, tls } = this.options;
    const { maxMessageBytes, maxConnectionUnacknowledgedBytes } = this.options;
    const permittedNames = isSecured(endpoint) ? tls?.permittedNames : undefined;
    const createStream = protocolOf(endpoint, {
      ...{ log, forwarder, format, intake: this.intake, maxMessageBytes },
      maxUnacknowledgedBytes: maxConnectionUnacknowledgedBytes,
    });
    const listener = new StreamListener({
      ...{ name: formatEndpoint(endpoint), log, maxConnections, firstMessageMs },
      ...(permittedNames && { permittedNames }),
      createStream: (connection, events) => {
        const stream = createStream(connection, events);
        if (this.intake.isClosed) stream.pauseReading();
        return stream;
      },
      onFinished: () => this.finishIfEmpty(),
    });
    this.streamListeners.push(listener);
    return listener;
  }

  private createDatagramInput(endpoint: Endpoint): DatagramInput {
    const { log, forwarder, format, maxMessageBytes, datagramBufferBytes } = this.options;
    const input = new DatagramInput({
      ...{ name: formatEndpoint(endpoint), log, forwarder, maxMessageBytes },
      formatter: format.formatter(),
      maxUnacknowledgedBytes: this.options.maxConnectionUnacknowledgedBytes,
      // The senders on this machine are held instead.
      bufferBytes: 'path' in endpoint ? Number.POSITIVE_INFINITY : datagramBufferBytes,
      onEmpty: () => this.finishIfEmpty(),
    });
    this.datagramInputs.push(input);
    return input;
  }

  private finishIfEmpty(): void {
    const isGreeting = this.streamListeners.some(({ greeting }) => greeting > 0);
    if (this.open === 0 && !(isGreeting && this.awaitsHandshakes)) this.onEmpty();
  }
}
