/** A certificate for an application, with its RSA key, made by openssl; an encrypted copy of the key, and an EC pair. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ApplicationKey {
  readonly certificate: string;
  readonly key: string;
}

const kinds = { rsa: ['rsa:2048'], ec: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] } as const;

export function createApplicationKey(kind: keyof typeof kinds = 'rsa', days = 30): ApplicationKey {
  return inFolder((folder) => {
    const files = ['-keyout', join(folder, 'app.key'), '-out', join(folder, 'app.pem')];
    const dates = ['-days', String(days), '-subj', '/CN=Rollcall'];
    openssl(['req', '-x509', '-nodes', '-newkey', ...kinds[kind], ...files, ...dates]);
    return {
      certificate: readFileSync(join(folder, 'app.pem'), 'utf8'),
      key: readFileSync(join(folder, 'app.key'), 'utf8'),
    };
  });
}

export function encrypted(key: string): string {
  return openssl(['pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-passout', 'pass:secret'], key);
}

function inFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-app-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function openssl(args: readonly string[], input = ''): string {
  return execFileSync('openssl', args, { input, stdio: ['pipe', 'pipe', 'pipe'] }).toString();
}
