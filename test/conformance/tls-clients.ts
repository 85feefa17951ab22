import { expect } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions, SecureVersion } from 'node:tls';
import { type Certificate, makeAuthority, makeCertificate } from '../support/certificates.ts';
import { ensureDebian } from '../support/install.ts';
import { type Child, start } from '../support/process.ts';
import { tempDir } from '../support/temp.ts';
import { Fixture } from './harness.ts';
import { makeDeceiving, makeExpired } from './odd-certificates.ts';
import { pattern } from './pattern.ts';
import type { Service } from './protocol.ts';
import type { Target } from './targets.ts';

/** What connects to a fixture over TLS, and how that turns out. */

export const PLENTY = 4 << 20;

await ensureDebian(['openssl']);

export const authority = await makeAuthority('authority');
const foreigner = await makeAuthority('foreigner');
export const server = await makeCertificate('server', authority, 'IP:127.0.0.1');
export const second = await makeCertificate('second', authority, 'IP:127.0.0.1');
const names = 'DNS:client.example,IP:192.0.2.7,IP:2001:db8::7,URI:urn:host:7,email:a@b.example';
export const client = await makeCertificate('client', authority, names);
export const foreign = await makeCertificate('foreign', foreigner, 'DNS:foreign');
export const expired = await makeExpired(authority);
export const deceiving = await makeDeceiving(authority);

const children: Child[] = [];

/** Ends the programs that were started. */
export async function killClients(): Promise<void> {
  await Promise.all(children.splice(0).map((child) => child.kill()));
}

/** Holds the first {@link PLENTY} bytes of the pattern. */
export const file = join(tempDir('tls-incoming'), 'pattern');
writeFileSync(file, pattern(0, PLENTY));

/** What is shown to us, in one version or any. */
export function tlsWith(certificate?: Certificate, version?: SecureVersion): ConnectionOptions {
  return {
    ...(certificate && { cert: certificate.certificate, key: certificate.key }),
    ...(version && { minVersion: version, maxVersion: version }),
  };
}

/** Connects with a program that is none of the runtimes, which sends what `input` prints. */
export function connectOpenssl(port: number, input: string, options: string[] = []): Child {
  const command = ['openssl', 's_client', '-quiet', '-connect', `127.0.0.1:${port}`, ...options];
  const child = start('s_client', ['sh', '-c', `${input} | ${command.join(' ')}`]);
  children.push(child);
  return child;
}

/** Starts a fixture that listens, and may ask for certificates. */
export async function listening(target: Target, service: Service = {}, clientCa?: string) {
  const fixture = await Fixture.start(target);
  const tls = { ...server, ...(clientCa && { clientCa }) };
  const port = await fixture.listen(service, { tls });
  return { fixture, port };
}

/** Nobody was served, for one reason, which is told once. */
export async function expectUnserved(fixture: Fixture, kind: string, message: RegExp) {
  const [unserved] = await fixture.seen('unserved');
  expect(unserved?.message).toMatch(message);
  await fixture.settle();
  const [admitted] = fixture.all('admitted');
  expect(fixture.all('unserved')).toMatchObject([{ kind, peer: admitted?.peer }]);
  const events = fixture.reports.map(({ event }) => event).filter((event) => event !== 'done');
  expect(events).toEqual(['admitted', 'unserved']);
}
