import { type Address, formatAddress } from '../address.ts';

/** The ways in that have a port. */
export const PORT_SCHEMES = ['tcp', 'tls', 'relp', 'relps', 'udp'] as const;
/** The ways in that have a file. */
export const PATH_SCHEMES = ['unix', 'unix-dgram'] as const;

/** Where syslog is taken, and how. */
export type Endpoint =
  | { scheme: (typeof PORT_SCHEMES)[number]; address: Address }
  | { scheme: (typeof PATH_SCHEMES)[number]; path: string };

/** As it is written for `--listen`. */
export function formatEndpoint(endpoint: Endpoint): string {
  const where = 'path' in endpoint ? endpoint.path : formatAddress(endpoint.address);
  return `${endpoint.scheme}://${where}`;
}

/** Whether who connects there speaks TLS. */
export function isSecured({ scheme }: Endpoint): boolean {
  return scheme === 'tls' || scheme === 'relps';
}
