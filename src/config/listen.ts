import { overlap, parseAddress } from '../address.ts';
import { type Endpoint, isSecured, PATH_SCHEMES, PORT_SCHEMES } from '../input/endpoint.ts';
import type { UnixAccess } from '../input/unix-access.ts';
import type { TlsIdentity } from '../runtime/runtime.ts';
import { readIds } from './owner.ts';
import { exclusive, invalid, type Settings, textOf } from './settings.ts';
import { readTls } from './tls.ts';

const TLS = {
  ca: 'tls-client-ca',
  certificate: 'tls-certificate',
  key: 'tls-key',
  passphrase: 'tls-key-passphrase',
} as const;

/** What those who listen over TLS show, and whom they let in. */
export interface ListenTls {
  identity: TlsIdentity;
  /** What one of the names in a client's certificate has to be; any where absent. */
  permittedNames?: readonly string[];
  /**
   * Reads the files again.
   * @throws {Error} that says what is wrong with them
   */
  readAgain(): TlsIdentity;
}

/**
 * Where syslog is taken.
 * @throws {UsageError | ConfigError} that says what is wrong with one of the places
 */
export function readListen(settings: Settings): Endpoint[] {
  const listen = settings.get('listen')?.value as string[] | undefined;
  const isPort = settings.has('port');
  if (isPort && listen) throw exclusive(settings, ['port', 'listen']);
  if (isPort) {
    const port = textOf(settings, 'port');
    const address = /^\d+$/.test(port) ? parseAddress(`0.0.0.0:${port}`) : null;
    if (address === null) throw invalid(settings, 'port', 'not a port (0 to 65535)');
    return [{ scheme: 'tcp', address }];
  }
  if (listen?.length === 0) {
    throw invalid(settings, 'listen', 'there must be one address at least', '[]');
  }
  const values = listen ?? [textOf(settings, 'listen')];
  const endpoints = values.map((value) => readEndpoint(settings, value));
  const second = endpoints.findIndex((endpoint, i) =>
    endpoints.slice(0, i).some((other) => exclude(other, endpoint)),
  );
  if (second >= 0) throw invalid(settings, 'listen', 'it is taken twice', values[second]);
  return endpoints;
}

function readEndpoint(settings: Settings, value: string): Endpoint {
  const [, scheme = '', rest = ''] = /^([a-z-]+):\/\/(.*)$/.exec(value) ?? [];
  const pathScheme = PATH_SCHEMES.find((known) => known === scheme);
  if (pathScheme) {
    if (/^\/.*[^/]$/.test(rest)) return { scheme: pathScheme, path: rest };
    throw invalid(settings, 'listen', `it must look like ${scheme}:///run/syslogger.sock`, value);
  }
  const portScheme = PORT_SCHEMES.find((known) => known === scheme);
  if (scheme !== '' && !portScheme) {
    const known = `${PORT_SCHEMES.join(', ')}, ${PATH_SCHEMES.join(' and ')} are`;
    throw invalid(settings, 'listen', `${scheme} is not supported; ${known}`, value);
  }
  const address = parseAddress(rest);
  if (portScheme && address) return { scheme: portScheme, address };
  const example = `${portScheme ?? 'tcp'}://0.0.0.0:1514`;
  throw invalid(settings, 'listen', `not an address; it must look like ${example}`, value);
}

/** Whether only one of them can be had. */
function exclude(a: Endpoint, b: Endpoint): boolean {
  if ('path' in a || 'path' in b) return 'path' in a && 'path' in b && a.path === b.path;
  return (a.scheme === 'udp') === (b.scheme === 'udp') && overlap(a.address, b.address);
}

/**
 * The certificate for those who listen over TLS; null where nobody does.
 * @throws {UsageError | ConfigError} if it is missing, can't be used, or is of no use
 */
export function readListenTls(settings: Settings, endpoints: Endpoint[]): ListenTls | null {
  const given = [...Object.values(TLS), 'tls-client-names' as const].find((name) =>
    settings.has(name),
  );
  if (!endpoints.some(isSecured)) {
    if (given) throw invalid(settings, given, 'needs a listen of tls:// or relps://');
    return null;
  }
  if (!settings.has(TLS.certificate)) {
    const problem = 'tls:// and relps:// need tls-certificate and tls-key';
    throw invalid(settings, 'listen', problem);
  }
  const names = settings.get('tls-client-names')?.value as string[] | undefined;
  if (names && !settings.has(TLS.ca)) {
    throw invalid(settings, 'tls-client-names', `needs ${TLS.ca} as well`);
  }
  if (names?.some((name) => name === '')) {
    throw invalid(settings, 'tls-client-names', 'a name is missing');
  }
  const read = () => readIdentity(settings);
  const permittedNames = names?.map((name) => name.toLowerCase());
  return { identity: read(), readAgain: read, ...(permittedNames && { permittedNames }) };
}

function readIdentity(settings: Settings): TlsIdentity {
  const { ca, certificate = '', key = '' } = readTls(settings, TLS);
  return { certificate, key, ...(ca !== undefined && { clientCa: ca }) };
}

/** @throws {UsageError | ConfigError} if the mode is none, or there is no such user or group */
export function readUnixAccess(settings: Settings): UnixAccess {
  const mode = textOf(settings, 'unix-mode');
  if (!/^0?[0-7]{3}$/.test(mode)) {
    throw invalid(settings, 'unix-mode', 'it must be three octal digits, such as 0660');
  }
  const access = { mode: Number.parseInt(mode, 8) };
  if (!settings.has('unix-owner')) return access;
  try {
    return { ...access, owner: readIds(textOf(settings, 'unix-owner')) };
  } catch (error) {
    throw invalid(settings, 'unix-owner', (error as Error).message);
  }
}
