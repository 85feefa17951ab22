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
  /** The other side as `address:port`, for logs. */
  readonly peer: string;
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

/** An answer over HTTP. */
export interface HttpAnswer {
  status: number;
  /** Its media type. */
  type: string;
  body: string;
}

/** A listening socket. */
export interface Listener {
  /** Where it really listens (the port that the system chose). */
  readonly address: Address;
  /**
   * Accepts those who wait already, then no more. Accepted connections live on.
   * Resolves when the port is free.
   */
  close(): Promise<void>;
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
  listen(
    address: Address,
    accept: (connection: Connection) => ConnectionHandler,
  ): Promise<Listener>;
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
  serveHttp(address: Address, answer: (path: string) => HttpAnswer): Promise<Listener>;
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
