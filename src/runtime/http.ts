import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Address } from '../address.ts';
import type { HttpAnswer, PortListener } from './runtime.ts';
import { bind } from './sockets.ts';

/** How long a whole request may take to come, and how long a connection may be idle, in ms. */
const REQUEST_TIMEOUT_MS = 5_000;
/** How often connections are looked at for that, in ms. */
const LOOK_EVERY_MS = 1_000;
/** How long an answer may wait for its reader, in ms. */
const ANSWER_TIMEOUT_MS = 5_000;
const MAX_HEADER_BYTES = 8_192;
/** Nobody needs more, and each has its buffers. */
const MAX_CONNECTIONS = 64;
/** More requests than this that one connection has sent ahead, and their answers would pile up. */
const MAX_UNREAD_ANSWERS = 4;
const TEXT = 'text/plain; charset=utf-8';

/** `Runtime.serveHttp` with `node:http`. */
export async function serveHttp(
  address: Address,
  answer: (path: string) => HttpAnswer,
): Promise<PortListener> {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: LOOK_EVERY_MS,
    },
    (request, response) => {
      if (isReading(request.socket, response)) respond(request, response, answer);
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  const close = async () => {
    server.close();
    server.closeAllConnections();
  };
  return { address: await bind(server, address), close };
}

const unreadAnswers = new WeakMap<Socket, number>();

/** Whether the peer reads its answers. If not, it is dropped, now or when the time for it is over. */
function isReading(socket: Socket, response: ServerResponse): boolean {
  // What one read has brought is asked for to its end, even once the connection is dropped.
  if (socket.destroyed) return false;
  const unread = unreadAnswers.get(socket) ?? 0;
  if (unread === MAX_UNREAD_ANSWERS) {
    socket.destroy();
    return false;
  }
  unreadAnswers.set(socket, unread + 1);
  const timer = setTimeout(() => socket.destroy(), ANSWER_TIMEOUT_MS);
  response.once('close', () => {
    unreadAnswers.set(socket, (unreadAnswers.get(socket) ?? 1) - 1);
    clearTimeout(timer);
  });
  return true;
}

function respond(
  { method, url = '/', headers }: IncomingMessage,
  response: ServerResponse,
  answer: (path: string) => HttpAnswer,
): void {
  const isAllowed = method === 'GET' || method === 'HEAD';
  const { status, type, body } = isAllowed
    ? answerOrApologize(answer, url.replace(/[?#].*$/s, ''))
    : { status: 405, type: TEXT, body: 'only GET and HEAD\n' };
  // The rest of a body could come for ever.
  const isLast = !isAllowed || 'content-length' in headers || 'transfer-encoding' in headers;
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(!isAllowed && { allow: 'GET, HEAD' }),
    ...(isLast && { connection: 'close' }),
  });
  response.end(method === 'HEAD' ? undefined : body);
}

function answerOrApologize(answer: (path: string) => HttpAnswer, path: string): HttpAnswer {
  try {
    return answer(path);
  } catch (error) {
    return { status: 500, type: TEXT, body: `this page is broken: ${error}\n` };
  }
}
