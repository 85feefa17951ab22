import { join } from 'node:path';
import { makeAuthority, makeCertificate } from '../support/certificates.ts';
import { tempDir } from '../support/temp.ts';
import { Fixture } from './harness.ts';
import { Peer, type PeerOptions } from './peer.ts';
import type { Service } from './protocol.ts';
import type { Target } from './targets.ts';

/** What a connection may go over. */
export type Transport = 'TCP' | 'TLS 1.2' | 'TLS 1.3' | 'a unix socket';

export type ConnectedOptions = Service & { peerPaused?: boolean };

const authority = await makeAuthority('authority');
const server = await makeCertificate('server', authority, 'IP:127.0.0.1');

/** Every target with every transport. */
export function waysOf(targets: Target[], transports: Transport[]) {
  return targets.flatMap((target) =>
    transports.map((transport) => ({ name: target.name, target, transport })),
  );
}

/** Starts a fixture that listens. @returns also what connects to it */
export async function listening(target: Target, transport: Transport, service: Service = {}) {
  const fixture = await Fixture.start(target);
  const where = await listen(fixture, transport, service);
  const connect = (options: PeerOptions = {}) =>
    Peer.connect(where, { tls: tlsFor(transport), ...options });
  return { fixture, where, connect };
}

/** The same, and makes one connection to it. */
export async function connected(
  target: Target,
  { peerPaused = false, ...service }: ConnectedOptions = {},
  transport: Transport = 'TCP',
) {
  const { fixture, where, connect } = await listening(target, transport, service);
  const peer = await connect({ paused: peerPaused });
  await fixture.seen('accepted');
  return { fixture, where, peer };
}

function tlsFor(transport: Transport): PeerOptions['tls'] {
  if (!transport.startsWith('TLS')) return undefined;
  const version = transport.replace('TLS ', 'TLSv') as 'TLSv1.2' | 'TLSv1.3';
  return { minVersion: version, maxVersion: version };
}

async function listen(
  fixture: Fixture,
  transport: Transport,
  service: Service,
): Promise<number | string> {
  if (transport === 'TCP') return fixture.listen(service);
  if (transport !== 'a unix socket') return fixture.listen(service, { tls: server });
  const path = join(tempDir('unix'), 'socket');
  await fixture.do({ do: 'listenUnix', path, service });
  return path;
}
