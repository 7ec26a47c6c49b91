/**
 * The certificate of an application: what the token service wants to know about it, and what is wrong with it in words.
 *
 * Promises: what is returned can sign; the thumbprint is computed, never asked of a person. Refuses an encrypted key, a key
 * that is not RSA (the token service takes PS256 only), a key of another certificate, and one that has expired.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { RollcallError } from '../../errors.js';

export interface ClientCertificate {
  /** SHA-256 of the certificate, in hexadecimal. */
  readonly thumbprintSha256: string;
  /** PEM, PKCS #8, not encrypted. */
  readonly privateKey: string;
}

/** Throws a RollcallError `config`. No message holds a part of the key. */
export function clientCertificate(
  name: string,
  { certificate, key }: { readonly certificate: string; readonly key: string },
  now: number,
): ClientCertificate {
  const x509 = readCertificate(name, certificate);
  const privateKey = readKey(name, key);
  if (!x509.checkPrivateKey(privateKey))
    throw wrong(name, 'certificate.key', 'is not the key of that certificate');
  if (Date.parse(x509.validTo) <= now) {
    throw wrong(
      name,
      'certificate.file',
      `expired on ${x509.validTo}`,
      'Make a new one and upload it to the app registration.',
    );
  }
  return {
    thumbprintSha256: x509.fingerprint256.replaceAll(':', ''),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function readCertificate(name: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw wrong(name, 'certificate.file', 'is not a certificate in PEM', '', cause);
  }
}

function readKey(name: string, pem: string): KeyObject {
  if (/BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(pem))
    throw wrong(
      name,
      'certificate.key',
      'is encrypted',
      'Give it without a passphrase: `openssl pkey -in KEY -out PLAIN`.',
    );
  const key = parseKey(name, pem);
  if (key.asymmetricKeyType === 'rsa') return key;
  const kind = key.asymmetricKeyType ?? 'of an unknown kind';
  throw wrong(
    name,
    'certificate.key',
    `is ${kind}, and Entra takes RSA keys only`,
    'Make an RSA key of 2048 bits or more.',
  );
}

function parseKey(name: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // without its cause: OpenSSL may quote what it read
    throw wrong(name, 'certificate.key', 'is not a private key in PEM');
  }
}

function wrong(name: string, option: string, what: string, hint = '', cause?: unknown): RollcallError {
  return new RollcallError('config', `sources.${name}.${option}: ${what}`, { hint, cause });
}
