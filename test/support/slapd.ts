/**
 * A private, real slapd for tests: own folder, own loopback ports, LDAP with StartTLS and LDAPS.
 *
 * Accounts: `admin` (no limits) and `reader` (unpaged answers end at 500 entries, paged ones are free); anonymous sees
 * nothing. Started in the foreground as a child and ended by its pid; whatever is left over ends with this process.
 *
 *     const slapd = await startSlapd({ ldif: makePeople(3_000).ldif });
 *     ...
 *     await slapd.remove();
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-port.js';
import { findCommand, requirePeer } from './peers.js';
import { createPki, type CertificateName, type Pki } from './pki.js';
import {
  admin,
  baseLdif,
  reader,
  schema,
  slapdConf,
  suffix,
  type SlapdLimits,
  type SlapdSettings,
} from './slapd-config.js';

export { makePeople } from './people.js';

export const haveSlapd: boolean = requirePeer('slapd', [
  'slapd',
  'slapadd',
  'ldapmodify',
  'ldapdelete',
  'openssl',
]);

/** What can be chosen at the start and changed by `restart`. */
export interface SlapdChoices {
  readonly limits?: Partial<SlapdLimits>;
  /** Regular expression of DNs that the reader cannot see; `hideEven` hides every second person of makePeople. */
  readonly hide?: string | undefined;
  readonly anonymousReads?: boolean;
  /** Schemas of OpenLDAP besides core, cosine and inetorgperson. */
  readonly schemas?: readonly string[];
  /** Whether users may read cn=monitor. */
  readonly monitor?: boolean;
  readonly requireTls?: boolean;
  readonly certificate?: CertificateName;
  /** Keeps contextCSN, as a provider of replicas does. */
  readonly syncprov?: boolean;
  /** The only attributes that the reader may read, with commas. */
  readonly readable?: string;
  /** Attributes that the reader may search for and not read, with commas. */
  readonly searchable?: string | undefined;
}

export interface SlapdOptions extends SlapdChoices {
  /** Entries to load besides the base (suffix, ou=people, ou=groups, the reader). */
  readonly ldif?: string;
}

export interface Slapd {
  readonly url: string;
  readonly ldapsUrl: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly folder: string;
  readonly suffix: string;
  readonly admin: typeof admin;
  readonly reader: typeof reader;
  readonly pki: Pki;
  /** Loads more entries with slapadd; slapd must be stopped. */
  load(ldif: string): Promise<void>;
  /** Adds entries as the administrator, in a running slapd. */
  add(ldif: string): Promise<void>;
  /** Applies LDIF change records as the administrator. */
  modify(ldif: string): Promise<void>;
  /** Deletes these DNs as the administrator. */
  delete(dns: readonly string[]): Promise<void>;
  /** Starts again on the same ports. */
  start(): Promise<void>;
  /** SIGTERM, then waits for the end. */
  stop(): Promise<void>;
  /** SIGKILL, then waits for the end. */
  kill(): Promise<void>;
  /** Stops, takes over the choices given (the others stay), and starts again. */
  restart(choices: SlapdChoices): Promise<void>;
  /** Stops and deletes everything. */
  remove(): Promise<void>;
}

/** Hides the people and groups of makePeople with an even number. */
export const hideEven = '^(uid|cn)=[a-z]+[0-9]*[02468],';

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a slapd in a fresh folder. Throws with slapd's own words when it does not come up. */
export async function startSlapd(options: SlapdOptions = {}): Promise<Slapd> {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-slapd-'));
  mkdirSync(join(folder, 'db'));
  writeFileSync(join(folder, 'directory.schema'), schema());
  const pki = createPki();
  const [port, tlsPort] = [await freePort(), await freePort()];
  const slapd = new SlapdProcess(folder, pki, port, tlsPort, options);
  await slapd.load(baseLdif + (options.ldif ?? ''));
  await slapd.start();
  return slapd;
}

class SlapdProcess implements Slapd {
  readonly suffix = suffix;
  readonly admin = admin;
  readonly reader = reader;
  readonly url: string;
  readonly ldapsUrl: string;
  #choices: SlapdChoices;
  #child: ChildProcess | undefined;

  constructor(
    readonly folder: string,
    readonly pki: Pki,
    readonly port: number,
    readonly tlsPort: number,
    choices: SlapdChoices,
  ) {
    this.#choices = choices;
    this.url = `ldap://127.0.0.1:${String(port)}`;
    this.ldapsUrl = `ldaps://127.0.0.1:${String(tlsPort)}`;
  }

  async load(ldif: string): Promise<void> {
    this.#configure();
    await run('slapadd', ['-q', '-f', join(this.folder, 'slapd.conf'), '-b', suffix], ldif);
  }

  add(ldif: string): Promise<void> {
    return run('ldapmodify', ['-a', ...this.#asAdmin()], ldif);
  }

  modify(ldif: string): Promise<void> {
    return run('ldapmodify', this.#asAdmin(), ldif);
  }

  delete(dns: readonly string[]): Promise<void> {
    return run('ldapdelete', this.#asAdmin(), `${dns.join('\n')}\n`);
  }

  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    this.#configure();
    const log = openSync(join(this.folder, 'slapd.log'), 'w');
    // `-d` keeps slapd in the foreground, so that it is our child with a pid we know.
    const child = spawn(
      findCommand('slapd') ?? 'slapd',
      ['-d', '0', '-f', join(this.folder, 'slapd.conf'), '-h', `${this.url} ${this.ldapsUrl}`],
      { stdio: ['ignore', log, log] },
    );
    closeSync(log);
    running.add(child);
    this.#child = child;
    await Promise.race([Promise.all([listening(this.port), listening(this.tlsPort)]), this.#early(child)]);
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async restart(choices: SlapdChoices): Promise<void> {
    await this.stop();
    this.#choices = { ...this.#choices, ...choices };
    await this.start();
  }

  async remove(): Promise<void> {
    await this.kill();
    this.pki.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    }
    running.delete(child);
  }

  async #early(child: ChildProcess): Promise<never> {
    await once(child, 'exit');
    const log = readFileSync(join(this.folder, 'slapd.log'), 'utf8');
    throw new Error(`slapd ended with status ${String(child.exitCode)}: ${log}`);
  }

  #configure(): void {
    writeFileSync(join(this.folder, 'slapd.conf'), slapdConf(this.#settings()));
  }

  #settings(): SlapdSettings {
    const choices = this.#choices;
    return {
      folder: this.folder,
      caPath: this.pki.caPath,
      certificate: this.pki.certificates[choices.certificate ?? 'server'],
      limits: { size: 500, page: 1000, total: 'unlimited', ...choices.limits },
      hide: choices.hide,
      anonymousReads: choices.anonymousReads ?? false,
      schemas: choices.schemas ?? [],
      monitor: choices.monitor ?? false,
      requireTls: choices.requireTls ?? false,
      syncprov: choices.syncprov ?? false,
      readable: choices.readable,
      searchable: choices.searchable,
    };
  }

  #asAdmin(): string[] {
    // rootdn over LDAP: `requireTls` would refuse it, so tests that set it change nothing afterwards.
    return ['-x', '-H', this.url, '-D', admin.dn, '-w', admin.password];
  }
}

async function run(command: string, args: readonly string[], input: string): Promise<void> {
  const child = spawn(findCommand(command) ?? command, args, { stdio: ['pipe', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`${command} ended with status ${String(status)}: ${complaint}`);
}

/** Resolves once something accepts connections there. */
export async function listening(port: number, timeoutMs = 5_000): Promise<void> {
  for (let attempt = 0; attempt < timeoutMs / 10; attempt += 1) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await delay(10);
    } finally {
      socket.destroy();
    }
  }
  throw new Error(`nothing listens on port ${String(port)} after ${String(timeoutMs / 1000)} seconds`);
}
