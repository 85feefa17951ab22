import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Address } from '../address.ts';
import type { HttpAnswer, Listener } from './runtime.ts';

/** How long a whole request may take to come, and how long a connection may be idle, in ms. */
const REQUEST_TIMEOUT_MS = 5_000;
/** How often connections are looked at for that, in ms. */
const LOOK_EVERY_MS = 1_000;
const MAX_HEADER_BYTES = 8_192;
/** Nobody needs more, and each has its buffers. */
const MAX_CONNECTIONS = 64;

/** `Runtime.serveHttp` with `node:http`. */
export function serveHttp(
  { host, port }: Address,
  answer: (path: string) => HttpAnswer,
): Promise<Listener> {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: LOOK_EVERY_MS,
    },
    (request, response) => respond(request, response, answer),
  );
  server.maxConnections = MAX_CONNECTIONS;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      server.on('error', () => {});
      const { address, port } = server.address() as AddressInfo;
      const close = async () => {
        server.close();
        server.closeAllConnections();
      };
      resolve({ address: { host: address, port }, close });
    });
  });
}

function respond(
  { method, url = '/' }: IncomingMessage,
  response: ServerResponse,
  answer: (path: string) => HttpAnswer,
): void {
  const isReading = method === 'GET' || method === 'HEAD';
  const { status, type, body } = isReading
    ? answer(url.replace(/[?#].*$/s, ''))
    : { status: 405, type: 'text/plain; charset=utf-8', body: 'only GET and HEAD\n' };
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(!isReading && { allow: 'GET, HEAD', connection: 'close' }),
  });
  response.end(method === 'HEAD' ? undefined : body);
}
