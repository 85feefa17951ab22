import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from '../support/certificates.ts';
import { run } from '../support/command.ts';
import { tempDir } from '../support/temp.ts';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const LONG_AGO = ['-startdate', '20200101000000Z', '-enddate', '20200102000000Z'];

/** A certificate that is no longer good. */
export async function makeExpired(authority: Certificate): Promise<Certificate> {
  const dir = tempDir('expired');
  const [request, config] = [join(dir, 'request'), join(dir, 'config')];
  const { path, keyPath } = pathsIn(dir);
  writeFileSync(join(dir, 'index'), '');
  mkdirSync(join(dir, 'new'));
  writeFileSync(
    config,
    `[ca]\ndefault_ca=ca\n[ca]\ndatabase=${dir}/index\nnew_certs_dir=${dir}/new\nrand_serial=yes
     certificate=${authority.path}\nprivate_key=${authority.keyPath}\ndefault_md=sha256
     policy=policy\n[policy]\ncommonName=supplied\n`,
  );
  await run([
    'openssl',
    'req',
    '-subj',
    '/CN=expired',
    ...KEY,
    '-keyout',
    keyPath,
    '-out',
    request,
  ]);
  const files = ['-config', config, '-in', request, '-out', path];
  await run(['openssl', 'ca', '-batch', '-notext', ...files, ...LONG_AGO]);
  return certificateAt('expired', dir);
}

/** A certificate of two common names, with an alternative name that looks like two. */
export async function makeDeceiving(authority: Certificate): Promise<Certificate> {
  const dir = tempDir('deceiving');
  const { path, keyPath } = pathsIn(dir);
  const config = join(dir, 'config');
  writeFileSync(
    config,
    `[req]\nprompt=no\ndistinguished_name=names\nx509_extensions=more
     [names]\n0.CN=first\n1.CN=second\n[more]\nsubjectAltName=@others
     [others]\nDNS.1="evil, DNS:admin"\n`,
  );
  const files = ['-config', config, '-out', path, '-keyout', keyPath];
  const signer = ['-CA', authority.path, '-CAkey', authority.keyPath];
  await run(['openssl', 'req', '-x509', '-days', '2', ...KEY, ...files, ...signer]);
  return certificateAt('deceiving', dir);
}

const pathsIn = (dir: string) => ({ path: join(dir, 'pem'), keyPath: join(dir, 'key') });

function certificateAt(name: string, dir: string): Certificate {
  const { path, keyPath } = pathsIn(dir);
  const [certificate, key] = [readFileSync(path, 'utf8'), readFileSync(keyPath, 'utf8')];
  return { name, path, keyPath, certificate, key };
}
