import type { Connection } from '../runtime/runtime.ts';
import { Framer } from '../syslog/framing.ts';
import { foreignProtocol, type Protocol } from './foreign.ts';
import { InputStream, type StreamOptions } from './input-stream.ts';

/** What a stream of syslog is given beside what every stream is. */
export interface SyslogStreamOptions extends StreamOptions {
  /** Longer frames are forwarded in parts. */
  maxMessageBytes: number;
  /** What arrives looks like another protocol; said once. */
  onForeign: (peer: string, protocol: Protocol) => void;
}

/**
 * Syslog on one byte stream (RFC 6587). Whatever comes is forwarded, also a frame that the
 * connection's end cuts off.
 */
export class SyslogStream extends InputStream<Framer> {
  private readonly onForeign: SyslogStreamOptions['onForeign'];

  constructor(connection: Connection, options: SyslogStreamOptions) {
    super(connection, new Framer(options.maxMessageBytes), options);
    this.onForeign = options.onForeign;
  }

  /** Sends FIN: the sender learns that it should close, and what it sends is still read. */
  override stop(): void {
    this.connection.end();
  }

  protected override get isProven(): boolean {
    return this.account.received > 0;
  }

  protected override takeFrame(now: number): boolean {
    if (!this.account.offer(this, this.framer, now)) return false;
    if (this.account.received === 1) this.greet();
    return true;
  }

  /** At the stream's first frame: is it syslog at all? */
  private greet(): void {
    const { bytes, start, end } = this.framer;
    const protocol = foreignProtocol(bytes, start, end);
    if (protocol) this.onForeign(this.connection.peer, protocol);
  }
}
