import { expect, test } from 'bun:test';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { kernelDrops } from '../../src/input/kernel-drops.ts';
import { ensureDebian } from '../support/install.ts';
import { start } from '../support/process.ts';
import { waitFor } from '../support/wait.ts';

/** More than a socket's buffer takes, of which each takes a kilobyte at least. */
const PLENTY = 500;
const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
const hasIPv6 = addresses.some(({ address }) => address === '::1');

await ensureDebian(['socat']);

const cases = [
  { host: '127.0.0.1', target: '127.0.0.1', type: 'UDP4-RECV', isPossible: true },
  { host: '0.0.0.0', target: '127.0.0.1', type: 'UDP4-RECV', isPossible: true },
  { host: '::1', target: '::1', type: 'UDP6-RECV', isPossible: hasIPv6 },
  { host: '0:0::', target: '::1', type: 'UDP6-RECV', isPossible: hasIPv6 },
];
const possible = cases.filter(({ isPossible }) => existsSync('/proc/net/udp') && isPossible);

test.each(possible)('what a socket at $host loses is counted', async ({ host, target, type }) => {
  const port = await freePort(target);
  const ours = { host, port };
  expect(kernelDrops(ours)).toBeUndefined();
  const bound = target.includes(':') ? `[${host}]` : host;
  const receiver = start('receiver', [
    'socat',
    '-u',
    `${type}:${port},bind=${bound},rcvbuf=4096`,
    'OPEN:/dev/null',
  ]);
  await waitFor('the receiver', () => kernelDrops(ours) === 0);
  receiver.signal('SIGSTOP');
  await send(target, port);
  const lost = kernelDrops(ours) as number;
  expect(lost).toBeGreaterThan(PLENTY / 2);
  expect(lost).toBeLessThanOrEqual(PLENTY);
  expect(kernelDrops({ host, port: port + 1 })).not.toBe(lost);
  expect(kernelDrops({ host: '127.0.0.9', port })).toBeUndefined();
  await receiver.kill();
  expect(kernelDrops(ours)).toBeUndefined();
});

async function freePort(host: string): Promise<number> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.bind(0, host);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

async function send(host: string, port: number): Promise<void> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  for (let i = 0; i < PLENTY; i++) {
    await new Promise<unknown>((resolve) => socket.send('x'.repeat(500), port, host, resolve));
  }
  socket.close();
}
