import type { Connect, Stream, StreamHandler } from '../../src/riemann/connection.ts';
import { decodeMessage, type RiemannEvent } from '../../src/riemann/protocol.ts';

/** Riemann's answer ok = true, with its length before it. */
export const OK = Uint8Array.of(0, 0, 0, 2, 0x10, 1);

/** The answer ok = false with the error "no". */
export const REFUSED = Uint8Array.of(0, 0, 0, 6, 0x10, 0, 0x1a, 2, 0x6e, 0x6f);

/** A stream to nowhere: the test is its other end. */
export class ScriptedStream implements Stream {
  readonly handler: StreamHandler;
  isDestroyed = false;
  private readonly script: Script;

  constructor(handler: StreamHandler, script: Script) {
    this.handler = handler;
    this.script = script;
  }

  write(bytes: Uint8Array): boolean {
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    if (length !== bytes.length - 4) throw new Error(`${bytes.length} bytes say ${length}`);
    const { events = [] } = decodeMessage(bytes.subarray(4));
    this.script.requests.push([...events]);
    queueMicrotask(() => {
      if (!this.isDestroyed) this.script.onRequest(this);
    });
    return false;
  }

  destroy(): void {
    if (!this.isDestroyed) queueMicrotask(() => this.handler.closed());
    this.isDestroyed = true;
  }

  /** Answers, or sends whatever else. */
  send(...bytes: Uint8Array[]): void {
    for (const piece of bytes) this.handler.data(piece);
  }
}

/** Streams and what happens on them; what is not set goes well. */
export class Script {
  readonly streams: ScriptedStream[] = [];
  /** The events of each message that came. */
  readonly requests: RiemannEvent[][] = [];
  onConnect = (stream: ScriptedStream): void => stream.handler.opened();
  onRequest = (stream: ScriptedStream): void => stream.send(OK);

  readonly connect: Connect = (handler) => {
    const stream = new ScriptedStream(handler, this);
    this.streams.push(stream);
    queueMicrotask(() => {
      if (!stream.isDestroyed) this.onConnect(stream);
    });
    return stream;
  };
}
