/**
 * A private, real Samba AD domain controller for tests: own folder, own loopback address, LDAP with StartTLS and LDAPS, global
 * catalog. Its ports are fixed (389, 636, 3268, 3269), so that each one takes an address 127.x.y.z of its own.
 *
 * Accounts: `admin`, `reader` (ordinary), `replicator` (may use DirSync); anonymous sees nothing. A copy of
 * one that is provisioned once (samba-template.ts), started in the foreground as a child and ended by its pid; whatever is left over ends with this process.
 *
 *     const samba = await startSamba({ ldif: makeStaff(3_000).ldif });
 *     ...
 *     await samba.remove();
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findCommand, requirePeer } from './peers.js';
import { createPki, type Pki } from './pki.js';
import { admin, reader, replicator, smbConf, staffDn, suffix, type StrongAuth } from './samba-config.js';
import { ldb, runTool, sambaTemplate } from './samba-template.js';

/** Its ports are below 1024 and its files belong to root: without root there is no Samba AD. */
export const haveSamba: boolean =
  requirePeer('Samba AD DC', [
    'samba',
    'samba-tool',
    'ldbadd',
    'ldbmodify',
    'ldbsearch',
    'ldapmodify',
    'openssl',
  ]) && process.getuid?.() === 0;

export interface SambaOptions {
  /** Entries to load below `staffDn`, which is there. Kept: the next start with the same is a copy. */
  readonly ldif?: string;
  readonly strongAuth?: StrongAuth;
}

export interface Samba {
  readonly host: string;
  readonly url: string;
  readonly ldapsUrl: string;
  readonly globalCatalogUrl: string;
  readonly suffix: string;
  readonly staffDn: string;
  readonly admin: typeof admin;
  readonly reader: typeof reader;
  readonly replicator: typeof replicator;
  readonly pki: Pki;
  /** TLS options that fit its certificate. */
  readonly tls: { readonly verify: true; readonly ca: string; readonly servername: string };
  /** Applies LDIF change records over LDAP as the administrator. */
  modify(ldif: string): Promise<void>;
  /** Applies LDIF change records straight to the database, also where LDAP would refuse. */
  tamper(ldif: string): Promise<void>;
  /** One attribute of an object, base64 or plain as ldbsearch prints it. */
  attribute(dn: string, name: string): Promise<string | undefined>;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stops, sets what plain binds get, and starts again. */
  restart(strongAuth: StrongAuth): Promise<void>;
  remove(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export async function startSamba(options: SambaOptions = {}): Promise<Samba> {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-samba-'));
  const samba = new SambaProcess(folder, createPki(), await freeAddress(), options.strongAuth ?? 'yes');
  await samba.provision(options.ldif);
  await samba.start();
  return samba;
}

class SambaProcess implements Samba {
  readonly suffix = suffix;
  readonly staffDn = staffDn;
  readonly admin = admin;
  readonly reader = reader;
  readonly replicator = replicator;
  readonly url: string;
  readonly ldapsUrl: string;
  readonly globalCatalogUrl: string;
  readonly tls: Samba['tls'];
  #child: ChildProcess | undefined;
  #strongAuth: StrongAuth;

  constructor(
    readonly folder: string,
    readonly pki: Pki,
    readonly host: string,
    strongAuth: StrongAuth,
  ) {
    this.#strongAuth = strongAuth;
    this.url = `ldap://${host}`;
    this.ldapsUrl = `ldaps://${host}`;
    this.globalCatalogUrl = `ldaps://${host}:3269`;
    this.tls = { verify: true, ca: pki.ca, servername: 'dc1.example.com' };
  }

  /** Everything of the template but its certificates, which are this one's own. */
  async provision(ldif = ''): Promise<void> {
    cpSync(await sambaTemplate(ldif), this.folder, { recursive: true });
    chmodSync(this.pki.certificates.server.keyPath, 0o600); // Samba refuses a key that others may read
    this.#configure();
  }

  async modify(ldif: string): Promise<void> {
    const environment = { ...process.env, LDAPTLS_REQCERT: 'never' };
    await runTool(
      'ldapmodify',
      ['-x', '-H', this.ldapsUrl, '-D', admin.dn, '-w', admin.password],
      ldif,
      environment,
    );
  }

  async tamper(ldif: string): Promise<void> {
    await ldb(this.folder, 'ldbmodify', ldif);
  }

  async attribute(dn: string, name: string): Promise<string | undefined> {
    const found = await ldb(this.folder, 'ldbsearch', '', ['-b', dn, '-s', 'base', '(objectClass=*)', name]);
    const unfolded = found.replaceAll('\n ', '');
    return new RegExp(`^${name}::? (.*)$`, 'im').exec(unfolded)?.[1];
  }

  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    this.#configure();
    const log = openSync(join(this.folder, 'samba.out'), 'w');
    const child = spawn(findCommand('samba') ?? 'samba', ['-i', '-M', 'single', '-s', this.#conf], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    running.add(child);
    this.#child = child;
    await Promise.race([
      Promise.all([389, 636, 3269].map((port) => listening(port, this.host))),
      this.#early(child),
    ]);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL'); // nothing is written between requests, and SIGTERM takes its time
      await gone;
    }
    running.delete(child);
  }

  async restart(strongAuth: StrongAuth): Promise<void> {
    await this.stop();
    this.#strongAuth = strongAuth;
    await this.start();
  }

  async remove(): Promise<void> {
    await this.stop();
    this.pki.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #conf(): string {
    return join(this.folder, 'etc', 'smb.conf');
  }

  #configure(): void {
    const { certPath, keyPath } = this.pki.certificates.server;
    writeFileSync(
      this.#conf,
      smbConf({
        folder: this.folder,
        host: this.host,
        key: keyPath,
        certificate: certPath,
        ca: this.pki.caPath,
        strongAuth: this.#strongAuth,
      }),
    );
  }

  async #early(child: ChildProcess): Promise<never> {
    await once(child, 'exit');
    const log = readFileSync(join(this.folder, 'samba.out'), 'utf8');
    throw new Error(`samba ended with status ${String(child.exitCode)}: ${log}`);
  }
}

/** An address 127.x.y.z on which all four ports are free, found by trying: of 16 million, hardly ever twice the same. */
async function freeAddress(): Promise<string> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const host = `127.${String(randomInt(2, 250))}.${String(randomInt(1, 250))}.${String(randomInt(2, 250))}`;
    const free = await Promise.all([389, 636, 3268, 3269].map((port) => isFree(port, host)));
    if (free.every(Boolean)) return host;
  }
  throw new Error('no loopback address has the LDAP ports free');
}

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, host), 'listening');
    await once(server.close(), 'close');
    return true;
  } catch {
    return false;
  }
}

async function listening(port: number, host: string): Promise<void> {
  for (let attempt = 0; attempt < 1500; attempt += 1) {
    const socket = connect(port, host);
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await delay(20);
    } finally {
      socket.destroy();
    }
  }
  throw new Error(`nothing listens on ${host}:${String(port)} after 30 seconds`);
}
