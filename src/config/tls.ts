import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { TlsOptions } from '../runtime/runtime.ts';
import type { OptionName } from './options.ts';
import { readSmallFile } from './read.ts';
import { invalid, type Settings, textOf } from './settings.ts';
import { requireTogether } from './values.ts';

/** The options that name the files, and the secret. */
export interface TlsOptionNames {
  ca: OptionName;
  certificate: OptionName;
  key: OptionName;
  passphrase: OptionName;
}

/**
 * Reads the PEM files that the options name, and looks whether they can be used together.
 * @throws {UsageError | ConfigError} that names the option and says what is wrong with its file
 */
export function readTls(settings: Settings, names: TlsOptionNames): TlsOptions {
  requireTogether(settings, [names.certificate, names.key]);
  if (settings.has(names.passphrase) && !settings.has(names.key)) {
    throw invalid(settings, names.passphrase, `needs ${names.key} as well`);
  }
  const ca = readPem(settings, names.ca);
  const certificate = readPem(settings, names.certificate);
  const key = readPem(settings, names.key);
  if (ca !== undefined) asCertificate(settings, names.ca, ca);
  if (certificate === undefined || key === undefined) return { ...(ca !== undefined && { ca }) };
  const { publicKey } = asCertificate(settings, names.certificate, certificate);
  const privateKey = asPrivateKey(settings, names, key);
  if (!areAPair(publicKey, privateKey)) {
    throw invalid(settings, names.key, `it is not the key of ${names.certificate}`);
  }
  return {
    ...(ca !== undefined && { ca }),
    certificate,
    // Decrypted here, once, so that no runtime need know the passphrase.
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function readPem(settings: Settings, name: OptionName): string | undefined {
  if (!settings.has(name)) return undefined;
  try {
    return new TextDecoder().decode(readSmallFile(textOf(settings, name)));
  } catch (error) {
    throw invalid(settings, name, (error as Error).message);
  }
}

function asCertificate(settings: Settings, name: OptionName, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw invalid(settings, name, 'it holds no PEM certificate');
  }
}

function asPrivateKey(settings: Settings, names: TlsOptionNames, pem: string): KeyObject {
  const { key, passphrase } = names;
  const isGiven = settings.has(passphrase);
  try {
    return createPrivateKey({
      key: pem,
      ...(isGiven && { passphrase: textOf(settings, passphrase) }),
    });
  } catch {
    const isEncrypted = /ENCRYPTED/.test(pem);
    const problem = isGiven
      ? `${passphrase} does not open it`
      : `it is encrypted: give ${passphrase}`;
    throw invalid(settings, key, isEncrypted ? problem : 'it holds no PEM private key');
  }
}

function areAPair(publicKey: KeyObject, privateKey: KeyObject): boolean {
  const spki = { type: 'spki', format: 'der' } as const;
  const derived = createPublicKey(privateKey).export(spki);
  return Buffer.compare(publicKey.export(spki), derived) === 0;
}
