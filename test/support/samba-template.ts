/**
 * A provisioned Samba AD to copy: domain, the attributes of Exchange, accounts. Provisioning takes seconds and always gives the same,
 * so it is done once for each version of Samba and of samba-config.ts, and kept in .cache/peers.
 *
 * Promises: the folder is whole or not there, also when several test files want it at once. Nothing in it expires.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findCommand } from './peers.js';
import { admin, exchangeSchema, reader, realm, replicator, staffDn, suffix } from './samba-config.js';

const cache = fileURLToPath(new URL('../../.cache/peers/', import.meta.url));

/** The folder to copy, with `ldif` loaded. Throws with Samba's own words when it cannot be made. */
export async function sambaTemplate(ldif = ''): Promise<string> {
  const base = `samba-${fingerprint()}`;
  const empty = await kept(base, async (fresh) => {
    removeOthers(base);
    await provision(fresh);
  });
  if (ldif === '') return empty;
  const hash = createHash('sha256').update(ldif).digest('hex').slice(0, 8);
  return kept(`${base}-${hash}`, async (fresh) => {
    cpSync(empty, fresh, { recursive: true });
    await load(fresh, ldif);
  });
}

/** The folder of that name, made when it is not there: once, whoever else wants it waits. */
async function kept(name: string, make: (fresh: string) => Promise<void>): Promise<string> {
  const folder = join(cache, name);
  mkdirSync(cache, { recursive: true });
  const lock = `${folder}.lock`;
  while (!existsSync(folder) && !tryLock(lock)) await delay(100);
  if (existsSync(folder)) {
    unlock(lock);
    return folder;
  }
  const fresh = mkdtempSync(join(cache, `samba-new-${String(process.pid)}-`));
  try {
    await make(fresh);
    renameSync(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    unlock(lock);
  }
  return folder;
}

/** False while another process that is alive makes the same. */
function tryLock(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    const holder = holderOf(lock);
    // empty: just being written
    if (holder !== '' && !isAlive(holder)) rmSync(lock, { force: true });
    return false;
  }
}

function unlock(lock: string): void {
  if (holderOf(lock) === String(process.pid)) rmSync(lock, { force: true });
}

function holderOf(lock: string): string {
  try {
    return readFileSync(lock, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(pid: string): boolean {
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch {
    return false;
  }
}

/** Those of other versions, and what killed processes have left. */
function removeOthers(base: string): void {
  const old = readdirSync(cache).filter((name) => {
    const maker = /^samba-new-(\d+)-/.exec(name)?.[1];
    if (maker !== undefined) return !isAlive(maker);
    return /^samba-(?:new|[0-9a-f]{16})/.test(name) && !name.startsWith(base);
  });
  for (const name of old) rmSync(join(cache, name), { recursive: true, force: true });
}

const blockSize = 500;

/** Adds entries in blocks: one transaction of 10,000 takes minutes. */
async function load(folder: string, ldif: string): Promise<void> {
  const records = ldif.split(/\n\n+/).filter((record) => record.trim() !== '');
  for (let at = 0; at < records.length; at += blockSize) {
    await ldb(folder, 'ldbadd', `${records.slice(at, at + blockSize).join('\n\n')}\n\n`);
  }
}

function fingerprint(): string {
  const version = spawnSync(findCommand('samba') ?? 'samba', ['--version'], { encoding: 'utf8' }).stdout;
  const sources = ['samba-config.ts', 'samba-template.ts'].map((name) =>
    readFileSync(new URL(name, import.meta.url), 'utf8'),
  );
  return createHash('sha256')
    .update([version, ...sources].join('\0'))
    .digest('hex')
    .slice(0, 16);
}

async function provision(folder: string): Promise<void> {
  writeFileSync(join(folder, 'empty.conf'), '[global]\n');
  await runTool('samba-tool', [
    ...['domain', 'provision', `--targetdir=${folder}`, `--realm=${realm}`, '--domain=EXAMPLE'],
    // With a configuration of our own: otherwise options of the system's smb.conf are taken over.
    ...['-s', join(folder, 'empty.conf'), '--server-role=dc', '--dns-backend=NONE', '--host-name=dc1'],
    ...[`--adminpass=${admin.password}`, '--host-ip=127.0.0.1'],
    ...['--option=interfaces=127.0.0.1/8', '--option=bind interfaces only=yes'],
  ]);
  for (const name of ['run', 'cache']) mkdirSync(join(folder, name), { recursive: true });
  const schema = ['--option=dsdb:schema update allowed=true'];
  for (const ldif of exchangeSchema) await ldb(folder, 'ldbmodify', ldif, schema);
  await ldb(folder, 'ldbmodify', begin());
  await allowReplication(folder);
}

/** Passwords never expire, the OU of the tests, and two accounts. */
function begin(): string {
  const accounts = [reader, replicator].map(({ dn, password }) => {
    const name = dn.split('@')[0] ?? '';
    const secret = Buffer.from(password, 'utf16le').toString('base64');
    return `dn: CN=${name},CN=Users,${suffix}
changetype: add
objectClass: user
sAMAccountName: ${name}
userAccountControl: 66048
clearTextPassword:: ${secret}

`;
  });
  return `dn: ${suffix}
changetype: modify
replace: maxPwdAge
maxPwdAge: -9223372036854775808

dn: ${staffDn}
changetype: add
objectClass: organizationalUnit

${accounts.join('')}`;
}

/** MS-ADTS 5.1.3.2.1: DS-Replication-Get-Changes, "Replicating Directory Changes". */
async function allowReplication(folder: string): Promise<void> {
  const dn = `CN=${replicator.dn.split('@')[0] ?? ''},CN=Users,${suffix}`;
  const found = await ldb(folder, 'ldbsearch', '', ['-b', dn, '-s', 'base', '(objectClass=*)', 'objectSid']);
  const sid = /^objectSid: (.*)$/m.exec(found)?.[1] ?? '';
  await runTool('samba-tool', [
    ...['dsacl', 'set', '-s', join(folder, 'etc', 'smb.conf'), '-H', sambaDatabase(folder)],
    ...[`--objectdn=${suffix}`, '--action=allow'],
    `--sddl=(OA;;CR;1131f6aa-9c07-11d1-f79f-00c04fc2dcd2;;${sid})`,
  ]);
}

/** Runs an ldb tool straight on the database of a Samba in `folder`, as the system itself; what it printed. */
export function ldb(
  folder: string,
  command: string,
  input: string,
  options: readonly string[] = [],
): Promise<string> {
  const configuration = `--configfile=${join(folder, 'etc', 'smb.conf')}`;
  return runTool(command, [configuration, '-H', sambaDatabase(folder), ...options], input);
}

function sambaDatabase(folder: string): string {
  return `tdb://${join(folder, 'private', 'sam.ldb')}`;
}

/** Runs a program to its end; what it printed. Throws with its complaint. */
export async function runTool(
  command: string,
  args: readonly string[],
  input = '',
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const child = spawn(findCommand(command) ?? command, args, { stdio: 'pipe', env: environment });
  let said = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`${command} ended with status ${String(status)}: ${complaint}${said}`);
  return said;
}
