import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.ts';
import { tempDir } from './temp.ts';

/** A certificate and its key: the paths, and what is in the files. */
export interface Certificate {
  name: string;
  path: string;
  keyPath: string;
  certificate: string;
  key: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
const dir = tempDir('certificates');

/** Makes a certificate of its own, which may sign others. */
export function makeAuthority(name: string): Promise<Certificate> {
  return make(name, ['-addext', 'keyUsage=critical,keyCertSign']);
}

/** Makes a certificate that `authority` signs. @param names as in `IP:127.0.0.1,DNS:localhost` */
export function makeCertificate(
  name: string,
  authority: Certificate,
  names: string,
): Promise<Certificate> {
  const signer = ['-CA', authority.path, '-CAkey', authority.keyPath];
  const use = ['-addext', 'basicConstraints=critical,CA:FALSE'];
  return make(name, [...signer, ...use, '-addext', `subjectAltName=${names}`]);
}

/** Makes a certificate like another one that `authority` has signed, but it has expired. */
export async function makeExpired(
  name: string,
  authority: Certificate,
  like: Certificate,
): Promise<Certificate> {
  const path = join(dir, `${name}.pem`);
  const request = join(dir, `${name}.csr`);
  const openssl = ['openssl', 'x509', '-copy_extensions', 'copy'];
  const given = ['-in', like.path, '-signkey', like.keyPath];
  await run([...openssl, '-x509toreq', ...given, '-out', request]);
  const signer = ['-CA', authority.path, '-CAkey', authority.keyPath, '-CAcreateserial'];
  await run([...openssl, '-req', '-in', request, ...signer, '-days', '-1', '-out', path]);
  return { ...like, name, path, certificate: readFileSync(path, 'utf8') };
}

async function make(name: string, options: string[]): Promise<Certificate> {
  const path = join(dir, `${name}.pem`);
  const keyPath = join(dir, `${name}.key`);
  const files = ['-out', path, '-keyout', keyPath];
  await run(['openssl', 'req', '-x509', '-subj', `/CN=${name}`, ...KEY, ...files, ...options]);
  const [certificate, key] = [readFileSync(path, 'utf8'), readFileSync(keyPath, 'utf8')];
  return { name, path, keyPath, certificate, key };
}
