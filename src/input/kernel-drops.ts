import { readFileSync } from 'node:fs';
import type { Address } from '../address.ts';

/** The kernel's lists of UDP sockets, which only Linux has. */
const LISTS = ['/proc/net/udp', '/proc/net/udp6'];

/**
 * How many datagrams the kernel has thrown away at the UDP socket that is bound to this address and
 * port, since it was: there was no room for them, or they were damaged.
 * @returns undefined where that can't be had
 */
export function kernelDrops({ host, port }: Address): number | undefined {
  const [address = ''] = host.split('%');
  const wanted = address.includes(':') ? canonical(address) : address;
  const drops = LISTS.flatMap((list) =>
    lines(list)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local = '']) => {
        const [hex = '', hexPort = ''] = local.split(':');
        return Number.parseInt(hexPort, 16) === port && addressOf(hex) === wanted;
      })
      .map((columns) => Number(columns.at(-1))),
  );
  return drops.length === 0 ? undefined : drops.reduce((sum, count) => sum + count);
}

function lines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}

/** An address of the lists: 32-bit numbers as they lie in memory, the low byte first. */
function addressOf(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).reverse());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  return canonical(bytes.join('').replace(/.{4}(?=.)/g, '$&:'));
}

/** An IPv6 address in its one short form. */
function canonical(address: string): string {
  return address === '' ? '' : new URL(`http://[${address}]`).hostname;
}
