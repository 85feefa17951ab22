import { connect, createServer, type Server, type Socket } from 'node:net';
import { Frames } from './frames.ts';

/** Api key of Produce requests. */
export const PRODUCE = 0;

export interface Proxy {
  /** Where clients connect to; give it to the broker as its `advertisedPort`. */
  readonly port: number;
  /** Broker's port from the next connection on. */
  setTarget(port: number): void;
  /**
   * Forwards the next request of this kind, swallows the answer and cuts the connection instead;
   * resolves when that has happened.
   */
  loseNextAnswer(apiKey?: number): Promise<void>;
  /** Cuts the connection instead of forwarding the next request of this kind. */
  loseNextRequest(apiKey?: number): Promise<void>;
  /** Passes nothing on in either direction until `resume()`; connections stay open. */
  stall(): void;
  resume(): void;
  /** Cuts all connections and refuses new ones until `accept()`. */
  refuse(): Promise<void>;
  accept(): Promise<void>;
  /** Cuts all connections; new ones work. */
  cut(): void;
  /** How many requests of each kind were forwarded, by api key. */
  readonly forwarded: Map<number, number>;
  close(): Promise<void>;
}

interface Loss {
  apiKey: number;
  what: 'request' | 'answer';
  done: () => void;
}

/** A TCP proxy in front of a Kafka broker, which loses what it is told to. */
export async function startProxy(target: number, listenPort = 0): Promise<Proxy> {
  let targetPort = target;
  let port = listenPort;
  let stalled = false;
  let server: Server | undefined;
  const losses: Loss[] = [];
  const sockets = new Set<Socket>();
  const forwarded = new Map<number, number>();

  const takeLoss = (apiKey: number) => {
    const at = losses.findIndex((loss) => loss.apiKey === apiKey);
    return at < 0 ? undefined : losses.splice(at, 1)[0];
  };

  const join = (client: Socket) => {
    const broker = connect(targetPort, '127.0.0.1');
    const pair = [client, broker];
    const drop = () => {
      for (const socket of pair) socket.destroy();
    };
    /** What to lose, by the correlation id of the answer that is to be lost. */
    const lost = new Map<number, Loss>();
    let gone = false;
    const lose = (loss: Loss) => {
      gone = true;
      drop();
      loss.done();
    };

    const requests = new Frames((frame) => {
      if (gone) return;
      const apiKey = frame.readInt16BE(4);
      const loss = takeLoss(apiKey);
      if (loss?.what === 'request') return lose(loss);
      if (loss) lost.set(frame.readInt32BE(8), loss);
      forwarded.set(apiKey, (forwarded.get(apiKey) ?? 0) + 1);
      broker.write(frame);
    });
    const answers = new Frames((frame) => {
      if (gone) return;
      const loss = lost.get(frame.readInt32BE(4));
      if (loss) return lose(loss);
      client.write(frame);
    });
    client.on('data', (chunk: Buffer) => requests.push(chunk));
    broker.on('data', (chunk: Buffer) => answers.push(chunk));
    for (const socket of pair) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', drop);
      socket.on('close', () => {
        sockets.delete(socket);
        drop();
      });
      if (stalled) socket.pause();
    }
  };

  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const accept = () =>
    new Promise<void>((resolve, reject) => {
      server = createServer(join);
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        const address = server?.address();
        if (address && typeof address === 'object') port = address.port;
        resolve();
      });
    });
  const refuse = () =>
    new Promise<void>((resolve) => {
      server?.close(() => resolve());
      cut();
    });
  const loseNext = (what: Loss['what'], apiKey: number) =>
    new Promise<void>((done) => losses.push({ apiKey, what, done }));

  await accept();
  return {
    get port() {
      return port;
    },
    setTarget: (to) => {
      targetPort = to;
    },
    loseNextAnswer: (apiKey = PRODUCE) => loseNext('answer', apiKey),
    loseNextRequest: (apiKey = PRODUCE) => loseNext('request', apiKey),
    stall: () => {
      stalled = true;
      for (const socket of sockets) socket.pause();
    },
    resume: () => {
      stalled = false;
      for (const socket of sockets) socket.resume();
    },
    refuse,
    accept,
    cut,
    forwarded,
    close: refuse,
  };
}
