import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import type { Address } from '../address.ts';
import { namesIn } from './certificate-names.ts';
import type {
  Connection,
  ConnectionHandler,
  HandshakeFailure,
  PortListener,
  Reception,
  TlsIdentity,
  TlsListener,
} from './runtime.ts';
import { TlsConnection } from './tls-connection.ts';

/** How long a handshake may take, in ms. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
const PEM = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;

type Listen = (address: Address, reception: Reception) => Promise<PortListener>;

/** How those who connect are served. */
interface Service {
  secureContext: SecureContext;
  requestCert: boolean;
}

/**
 * `Runtime.listenTls`, over the plain connections of any runtime: so what is sent is the same
 * everywhere, and is for us to decide (see `TlsTransport`).
 */
export async function listenTls(
  listen: Listen,
  address: Address,
  identity: TlsIdentity,
  reception: Reception,
): Promise<TlsListener> {
  let service = serviceOf(identity);
  const { address: bound, close } = await listen(address, {
    admit: (peer) => reception.admit(peer),
    accept: (raw) => greet(raw, service, reception),
    failed() {},
  });
  return {
    address: bound,
    close,
    renew(identity) {
      service = serviceOf(identity);
    },
  };
}

function greet(raw: Connection, service: Service, reception: Reception): ConnectionHandler {
  const options = { ...service, rejectUnauthorized: false };
  const timer = setTimeout(() => {
    const message = `no handshake within ${HANDSHAKE_TIMEOUT_MS / 1_000} s`;
    connection.fail({ kind: 'silent', message });
  }, HANDSHAKE_TIMEOUT_MS);
  const connection = new TlsConnection(raw, options, {
    secured(connection, socket) {
      clearTimeout(timer);
      if (service.requestCert) {
        const problem = problemOf(socket);
        if (problem) return problem;
        connection.names = namesIn(socket.getPeerCertificate().raw);
      }
      return reception.accept(connection);
    },
    failed(failure) {
      clearTimeout(timer);
      reception.failed(raw.peer, failure);
    },
  });
  return connection.below;
}

/** What is wrong with the certificate that the peer has shown. */
function problemOf(socket: TLSSocket): HandshakeFailure | undefined {
  const isShown = socket.getPeerCertificate()?.raw !== undefined;
  if (!isShown) return { kind: 'certificate', message: 'shows no certificate' };
  const problem = verdictOn(socket);
  return problem ? { kind: 'certificate', message: `its certificate: ${problem}` } : undefined;
}

/** `authorized` is told by Bun only, and else by servers of `node:tls` alone, which ask their handle. */
function verdictOn(socket: TLSSocket): string | undefined {
  if (socket.authorized) return undefined;
  const { _handle } = socket as TLSSocket & { _handle?: { verifyError?(): Error | string | null } };
  if (!_handle?.verifyError) return `${socket.authorizationError ?? 'not looked at'}`;
  const error = _handle.verifyError();
  return error ? errorText(error) : undefined;
}

function errorText(error: Error | string): string {
  return typeof error === 'string' ? error : error.message;
}

/** @throws {Error} that says what is wrong with it; some runtimes would notice it late, or never */
function serviceOf({ certificate, key, clientCa }: TlsIdentity): Service {
  const own = read('the certificate', () => new X509Certificate(certificate));
  const privateKey = read('the key', () => createPrivateKey(key));
  if (!own.checkPrivateKey(privateKey)) throw new Error("the key is not the certificate's");
  const authorities = clientCa?.match(PEM) ?? [];
  for (const authority of authorities) {
    read("the clients' authority", () => new X509Certificate(authority));
  }
  if (clientCa !== undefined && authorities.length === 0)
    throw new Error("the clients' authority: no certificate in PEM");
  const secureContext = createSecureContext({
    cert: certificate,
    key,
    minVersion: 'TLSv1.2',
    // Else Node refuses a client that takes up an earlier session.
    sessionIdContext: 'syslogger',
    ...(clientCa !== undefined && { ca: clientCa }),
  });
  return { secureContext, requestCert: clientCa !== undefined };
}

function read<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new Error(`${what} can't be read: ${errorText(error as Error)}`);
  }
}
