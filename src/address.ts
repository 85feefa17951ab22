/** A host and a TCP port. */
export interface Address {
  host: string;
  port: number;
}

/**
 * Reads `host:port`, `[v6]:port` or, where there is a default port, only a host.
 * @returns null if it is none of these
 */
export function parseAddress(text: string, defaultPort?: number): Address | null {
  const match = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return null;
  const host = match[1] ?? match[2];
  const port = match[3] === undefined ? defaultPort : Number(match[3]);
  return port === undefined || port > 65_535 ? null : { host, port };
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether they are written alike. */
export function isSame(a: Address, b: Address): boolean {
  return a.host === b.host && a.port === b.port;
}

const WILDCARDS = ['0.0.0.0', '::'];

/** Whether who listens at the one keeps others from the other, as far as can be told. */
export function overlap(a: Address, b: Address): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return a.host === b.host || [a, b].some(({ host }) => WILDCARDS.includes(host));
}
