import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Frames } from './frames.ts';
import { decodeWithProtoc, type ReceivedEvent, type ReceivedMessage } from './protoc.ts';

export { encodeWithProtoc } from './protoc.ts';

/** What the server does with a message: says ok, says why not, or says nothing. */
export type Mode = 'answer' | 'error' | 'silent';

export interface RiemannServerOptions {
  /** Speaks TLS: certificates and key in PEM; with `requestCert` only to clients that `ca` knows. */
  tls?: { key: string; cert: string; ca?: string; requestCert?: boolean };
}

/** A server that records what it gets. It decodes nothing itself: Debian's protoc does. */
export interface RiemannServer {
  readonly port: number;
  /** The bytes of every message that came, in the order of their coming. */
  readonly received: Uint8Array[];
  /** All messages, decoded (needs protoc). */
  messages(): ReceivedMessage[];
  /** The events of all messages. */
  events(): ReceivedEvent[];
  /** What happens to the messages from now on; `error` is the text of the mode of that name. */
  setMode(mode: Mode, error?: string): void;
  /** How many connections were accepted; with TLS, after the handshake. */
  accepted(): number;
  /** Cuts all connections; new ones work. */
  cut(): void;
  /** Cuts all connections and refuses new ones until `start()`, which uses the same port. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Starts a Riemann server on a free port of 127.0.0.1. */
export async function startRiemannServer({
  tls,
}: RiemannServerOptions = {}): Promise<RiemannServer> {
  let port = 0;
  let mode: Mode = 'answer';
  let errorText = '';
  let accepted = 0;
  let server: Server | undefined;
  const sockets = new Set<Socket>();
  const received: Uint8Array[] = [];
  const decoded: ReceivedMessage[] = [];

  const serve = (socket: Socket) => {
    accepted++;
    const frames = new Frames((frame) => {
      received.push(new Uint8Array(frame.subarray(4)));
      if (mode === 'answer') socket.write(okAnswer());
      if (mode === 'error') socket.write(errorAnswer(errorText));
    });
    socket.on('data', (chunk: Buffer) => frames.push(chunk));
  };
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  };
  const create = () => {
    if (!tls) return createServer(serve).on('connection', track);
    const isStrict = tls.requestCert === true;
    const secure = createTlsServer({ ...tls, rejectUnauthorized: isStrict }, serve);
    secure.on('tlsClientError', () => {});
    return secure.on('connection', track).on('secureConnection', track);
  };
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const messages = () => {
    for (const bytes of received.slice(decoded.length)) decoded.push(decodeWithProtoc(bytes));
    return decoded.slice();
  };
  const start = async () => {
    server = create();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  };

  await start();
  return {
    get port() {
      return port;
    },
    received,
    messages,
    events: () => messages().flatMap(({ events }) => events),
    setMode: (to, error = 'refused') => {
      mode = to;
      errorText = error;
    },
    accepted: () => accepted,
    cut,
    stop: () =>
      new Promise((resolve) => {
        if (server?.listening) server.close(() => resolve());
        else resolve();
        cut();
      }),
    start,
  };
}

/** ok = true, with its length before it. */
function okAnswer(): Uint8Array {
  return Uint8Array.of(0, 0, 0, 2, 0x10, 1);
}

/** ok = false, and up to 123 bytes of text, so that each length is one byte. */
function errorAnswer(text: string): Uint8Array {
  const bytes = Buffer.from(text).subarray(0, 123);
  const head = Uint8Array.of(0, 0, 0, bytes.length + 4, 0x10, 0, 0x1a, bytes.length);
  return Buffer.concat([head, bytes]);
}
