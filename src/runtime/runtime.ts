import type { ISocketFactory } from 'kafkajs';
import type { Address } from '../address.ts';

/**
 * All that the daemon asks of the runtime beneath it. Above `src/runtime/` no
 * module names Bun, Deno, Node or a socket of theirs: it gets a {@link Runtime}.
 */

/** The signals that the daemon answers to. */
export type Signal = 'SIGTERM' | 'SIGINT' | 'SIGUSR1' | 'SIGHUP';

/** One accepted or opened stream. Its calls after `closed` do nothing. */
export interface Connection {
  /** The other side, for logs: `address:port`, or where it came through for a unix socket. */
  readonly peer: string;
  /**
   * The names in the certificate that the other side has shown and that was found good: its
   * subjectAltName's DNS names, addresses and URIs, and its common name. Absent without one.
   */
  readonly names?: readonly string[];
  /**
   * Stops reading. The kernel's buffers fill and TCP slows the sender. Only a
   * reset by the peer may still hand out what had arrived before it.
   */
  pause(): void;
  /** Reads on after {@link pause}. */
  resume(): void;
  /**
   * Takes back bytes that `data` has handed out and nobody reads any more, where that frees
   * their memory sooner than a garbage collection would. From then on every use of their buffer
   * throws: nothing may keep as much as an empty part of it.
   */
  release(bytes: Uint8Array): void;
  /**
   * Queues bytes for sending; they must not change until sent. Does nothing after {@link end}.
   * @returns false when the peer is slow: wait for `drained` before writing more.
   */
  write(bytes: Uint8Array): boolean;
  /** Sends FIN after all that was written, and goes on reading (half-close). */
  end(): void;
  /** Drops the connection, and what was not yet sent, at once: the peer sees a reset, over TLS an end. */
  destroy(): void;
}

/**
 * What happens on a connection. `data` comes in the order of the stream, then
 * `end` (the peer's FIN) where the stream ended well, then `closed` exactly once.
 */
export interface ConnectionHandler {
  /** The bytes are the handler's to keep, or to {@link Connection.release}: no one else writes to them. */
  data(bytes: Uint8Array): void;
  end(): void;
  /**
   * Both directions are done; never within a call of ours. With an error where
   * the connection broke; a reset while paused, or close behind the last bytes,
   * may look like an `end` instead.
   */
  closed(error?: Error): void;
  drained?(): void;
}

/** What happens on a connection that we open. */
export interface OutgoingHandler extends ConnectionHandler {
  /** It is open, and secured where that was asked for. If that fails, only `closed` comes. */
  opened(): void;
}

/** How a connection is secured: PEM texts. TLS 1.2 and up. */
export interface TlsOptions {
  /** The certificates to check the other side's with; the system's where there are none. */
  ca?: string;
  /** What we show, with its private key, unencrypted. */
  certificate?: string;
  key?: string;
}

/** How those who connect to us are served over TLS: PEM texts. TLS 1.2 and up. */
export interface TlsIdentity {
  /** What we show, with its private key, unencrypted. */
  certificate: string;
  key: string;
  /** Who connects must show a certificate that one of these has signed; without them nobody is asked for one. */
  clientCa?: string;
}

/** Why somebody who has connected could not be served. */
export interface HandshakeFailure {
  /**
   * `plain`: does not speak TLS; `silent`: took too long; `certificate`: showed none, or none that
   * is good; `gone`: closed the connection meanwhile; `other`: anything else, an older TLS say.
   */
  kind: 'plain' | 'silent' | 'certificate' | 'gone' | 'other';
  /** For people. */
  message: string;
}

/** Who decides about those who connect. */
export interface Reception {
  /**
   * Somebody has connected; over TLS that is all that is known yet.
   * @returns whether to go on; else they see a reset, and nothing more comes of them
   */
  admit(peer: string): boolean;
  /** Somebody who was admitted can be served. */
  accept(connection: Connection): ConnectionHandler;
  /** Somebody who was admitted has not got through the handshake of TLS, and is gone. */
  failed(peer: string, failure: HandshakeFailure): void;
}

/** An answer over HTTP. */
export interface HttpAnswer {
  status: number;
  /** Its media type. */
  type: string;
  body: string;
}

/** What takes in connections or datagrams. */
export interface Listener {
  /**
   * Takes in those who wait already, then no more. Accepted connections live on.
   * Resolves when the port is free, or the path gone.
   */
  close(): Promise<void>;
}

/** One on a port. */
export interface PortListener extends Listener {
  /** Where it really listens (the port that the system chose). */
  readonly address: Address;
}

/** One that can wait with what comes. */
export interface PausableListener extends Listener {
  /** Hands out nothing more: it gathers in the kernel. */
  pause(): void;
  /** Goes on after {@link pause}. */
  resume(): void;
}

/** One of UDP datagrams. It can be paused, or not, by both calls. */
export interface DatagramListener extends PortListener, Partial<PausableListener> {
  /** What the kernel keeps, as asked for with `bufferBytes`; absent where it can't be had. */
  readonly bufferBytes?: number;
  close(): Promise<void>;
}

/** One that speaks TLS. */
export interface TlsListener extends PortListener {
  /** Shows another certificate to those who connect from now on, and asks for theirs by another authority. */
  renew(identity: TlsIdentity): void;
}

/** One runtime's sockets, signals and streams. */
export interface Runtime {
  readonly name: 'bun' | 'deno' | 'node';
  readonly version: string;
  /**
   * Accepts TCP connections (port 0: the system chooses one) with keep-alive and no Nagle delay; each stays open
   * for our half after the peer's FIN until {@link Connection.end} is called.
   * @throws {Error} with the system's `code` (EADDRINUSE, EACCES, …) if it can't listen
   */
  listen(address: Address, reception: Reception): Promise<PortListener>;
  /**
   * The same over TLS. Who is not through the handshake after ten seconds is dropped.
   * @throws {Error} also if the certificate can't be used
   */
  listenTls(address: Address, identity: TlsIdentity, reception: Reception): Promise<TlsListener>;
  /**
   * The same on a unix stream socket, which makes its file; one that was left by somebody who is
   * gone is replaced.
   * @throws {Error} EADDRINUSE also where there is a file that is no socket
   */
  listenUnix(path: string, reception: Reception): Promise<Listener>;
  /**
   * Receives UDP datagrams.
   * @param receive is handed each datagram, whole, to keep
   * @param bufferBytes what the kernel should keep until they are handed out; it may give less
   * @throws {Error} with the system's `code` if it can't
   */
  receive(
    address: Address,
    bufferBytes: number,
    receive: (datagram: Uint8Array) => void,
  ): Promise<DatagramListener>;
  /**
   * The same from a unix datagram socket, which makes its file; absent where there is no such thing.
   * Its senders wait while the kernel's buffer is full, or it is paused. What is beyond half a megabyte
   * of a datagram is lost; the kernel lets only few send so much.
   * @throws {Error} EADDRINUSE also where somebody lives, or there is a file that is no socket
   */
  receiveUnix?(path: string, receive: (datagram: Uint8Array) => void): Promise<PausableListener>;
  /**
   * Opens a TCP connection, over TLS where `tls` is given. Never calls the handler at once. With
   * TLS 1.3 a server that misses our certificate says so only after `opened`.
   */
  connect(address: Address, tls: TlsOptions | undefined, handler: OutgoingHandler): Connection;
  /** Opens connections to Kafka, in the way that kafkajs asks for them. */
  readonly socketFactory: ISocketFactory;
  /**
   * Answers HTTP requests for paths (without their query). A body that is sent is not read; who is
   * slow to ask, or asks too much, is dropped. Where `answer` throws, that is the answer: 500.
   * @throws {Error} with the system's `code` (EADDRINUSE, EACCES, …) if it can't listen
   */
  serveHttp(address: Address, answer: (path: string) => HttpAnswer): Promise<PortListener>;
  /**
   * Opens a unix datagram socket that systemd names (sd_notify(3)); absent where that can't be had.
   * @returns sends a text, and says whether the system has taken it
   * @throws {Error} that says why not
   */
  openNotifySocket?(path: string): Promise<(text: string) => boolean>;
  /**
   * Calls `handler` at each such signal instead of the default action. Until then
   * SIGUSR1 ends the process under Bun, and opens a debugger's port under Node and Deno.
   */
  onSignal(signal: Signal, handler: () => void): void;
  /**
   * Writes to standard output and waits until the system has taken it all. One call at a time.
   * @throws {Error} EPIPE when the reader is gone
   */
  writeStdout(bytes: Uint8Array): Promise<void>;
  /** Runs `task` once the input that is ready now has been handed out. */
  afterInput(task: () => void): void;
  /** Ends the process at once with this exit code. */
  exit(code: number): never;
}
