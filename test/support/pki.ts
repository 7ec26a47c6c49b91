/**
 * A throw-away certificate authority and server certificates for it, made by openssl in a temporary folder.
 *
 * `server` is good for 127.0.0.1, ::1 and *.example.com; `wrong` is signed but names another host; `expired`
 * is signed and past its date; `otherCa` signed nothing here. Keys live in a folder that only this user can read.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type CertificateName = 'server' | 'wrong' | 'expired';

export interface Certificate {
  readonly certPath: string;
  readonly keyPath: string;
  /** PEM text. */
  readonly cert: string;
  /** PEM text. */
  readonly key: string;
}

export interface Pki {
  readonly folder: string;
  readonly caPath: string;
  /** PEM text of the CA that signed the three certificates. */
  readonly ca: string;
  /** PEM text of a CA that signed none of them. */
  readonly otherCa: string;
  readonly certificates: Readonly<Record<CertificateName, Certificate>>;
  remove(): void;
}

const serverNames = 'DNS:*.example.com,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1';
const leaves = [
  { name: 'server', names: serverNames, days: 30 },
  { name: 'wrong', names: 'DNS:other.invalid', days: 30 },
  { name: 'expired', names: serverNames, days: -1 },
] as const satisfies readonly { name: CertificateName; names: string; days: number }[];

/** Takes about a quarter of a second. Throws with openssl's own words when it fails. */
export function createPki(): Pki {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-pki-'));
  authority(folder, 'ca');
  authority(folder, 'other-ca');
  for (const leaf of leaves) sign(folder, leaf.name, leaf.names, leaf.days);
  return {
    folder,
    caPath: join(folder, 'ca.pem'),
    ca: readFileSync(join(folder, 'ca.pem'), 'utf8'),
    otherCa: readFileSync(join(folder, 'other-ca.pem'), 'utf8'),
    certificates: {
      server: certificate(folder, 'server'),
      wrong: certificate(folder, 'wrong'),
      expired: certificate(folder, 'expired'),
    },
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function authority(folder: string, name: string): void {
  const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
  openssl(folder, [
    ...['req', '-x509', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-days', '30'],
    ...['-subj', `/CN=Rollcall test ${name}`, ...extensions.flatMap((extension) => ['-addext', extension])],
  ]);
}

function sign(folder: string, name: string, names: string, days: number): void {
  openssl(folder, [
    'req',
    ...newKey,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
    '-subj',
    `/CN=${name}`,
  ]);
  writeFileSync(
    join(folder, `${name}.ext`),
    `subjectAltName=${names}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n`,
  );
  openssl(folder, [
    ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'],
    ...['-out', `${name}.pem`, '-extfile', `${name}.ext`, '-days', String(days)],
  ]);
}

function certificate(folder: string, name: CertificateName): Certificate {
  const certPath = join(folder, `${name}.pem`);
  const keyPath = join(folder, `${name}.key`);
  return { certPath, keyPath, cert: readFileSync(certPath, 'utf8'), key: readFileSync(keyPath, 'utf8') };
}

function openssl(folder: string, args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
}
