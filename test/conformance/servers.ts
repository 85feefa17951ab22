import { createServer, type Server, type Socket } from 'node:net';
import type { Certificate } from '../support/certificates.ts';
import { freePort, waitForPort } from '../support/ports.ts';
import { type Child, start } from '../support/process.ts';

const servers: Server[] = [];
const children: Child[] = [];

/** Ends all servers. */
export async function stopServers(): Promise<void> {
  for (const server of servers) server.close();
  await Promise.all(children.map((child) => child.stop()));
}

/** Serves TCP connections in this process. @returns the port */
export async function serveTcp(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    serve(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  return (server.address() as { port: number }).port;
}

/**
 * Runs a command for each TLS connection, in a process that is none of the runtimes.
 * @param options socat's; whose certificate is wanted, which versions are spoken
 * @returns the port
 */
export async function serveTls(
  { path, keyPath }: Certificate,
  command: string,
  options = 'verify=0',
): Promise<number> {
  const port = await freePort();
  const where = `OPENSSL-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork`;
  const listen = `${where},cert=${path},key=${keyPath},${options}`;
  children.push(start('socat', ['socat', listen, `EXEC:${command}`]));
  await waitForPort(port);
  return port;
}
