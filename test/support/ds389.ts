/**
 * A private, real 389 Directory Server for tests: own folder, own loopback port, own mount namespace, for its tools know no
 * other place for the configuration than /etc/dirsrv.
 *
 * Promises: nothing of the system is written; runs in the foreground as our child and is ended by its pid, at the latest with
 * this process. Accounts: the Directory Manager (who changes things) and `reader`. To make one takes some ten seconds.
 *
 *     const server = await startDs389({ ldif: '...' });
 *     ...
 *     await server.remove();
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baseLdif, changedDse, manager, reader, setupInf, suffix, timeIndexLdif } from './ds389-config.js';
import { findCommand, requirePeer } from './peers.js';
import { freePort } from './free-port.js';
import { listening } from './slapd.js';

export const haveDs389: boolean = isThere();

function isThere(): boolean {
  const commands = ['ns-slapd', 'dscreate', 'ldapmodify', 'ldapdelete', 'unshare', 'mount'];
  if (!requirePeer('389-ds', commands)) return false;
  const tried = spawnSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
  if (process.getuid?.() === 0 && tried.status === 0) return true;
  if (process.env['CI'] === 'true')
    throw new Error('389-ds needs root and mount namespaces (unshare); with CI=true that is a failure');
  return false;
}

export interface Ds389Options {
  /** Entries to load besides the base (suffix, ou=people, the reader). */
  readonly ldif?: string;
  /** Switches the USN plug-in on. */
  readonly usn?: boolean;
}

export interface Ds389 {
  readonly url: string;
  readonly suffix: string;
  readonly reader: typeof reader;
  /** Applies LDIF change records as the Directory Manager. */
  modify(ldif: string): Promise<void>;
  /** Adds entries as the Directory Manager. */
  add(ldif: string): Promise<void>;
  delete(dns: readonly string[]): Promise<void>;
  remove(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** `$0` is the folder; the rest is run with its configuration in the place of the system's. */
const inNamespace = [
  'mount --bind "$0/etc" /etc/dirsrv',
  'mount --bind "$0/defaults.inf" /usr/share/dirsrv/inf/defaults.inf',
  'mkdir -p /run/dirsrv',
  'mount --bind "$0/run" /run/dirsrv',
  'exec "$@"',
].join(' && ');

export async function startDs389({ ldif = '', usn = false }: Ds389Options = {}): Promise<Ds389> {
  const port = await freePort();
  const folder = await createPatiently(port, async (made) => {
    const dse = join(made, 'etc/slapd-test/dse.ldif');
    const changed = changedDse(readFileSync(dse, 'utf8'), port, usn);
    writeFileSync(dse, `${changed.trimEnd()}\n\n${timeIndexLdif}`);
    await load(made, baseLdif + ldif);
  });
  const child = await start(folder, port);
  return serverAt(folder, port, child);
}

async function create(folder: string, port: number): Promise<void> {
  cpSync('/etc/dirsrv', join(folder, 'etc'), { recursive: true, verbatimSymlinks: true });
  for (const name of readdirSync(join(folder, 'etc'))) {
    if (name.startsWith('slapd-')) rmSync(join(folder, 'etc', name), { recursive: true });
  }
  for (const name of ['inst', 'initconfig', 'dbhome', 'run']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'setup.inf'), setupInf(folder, port));
  const defaults = readFileSync('/usr/share/dirsrv/inf/defaults.inf', 'utf8');
  // `systemd = False` of setup.inf is not enough: dscreate calls systemctl all the same.
  writeFileSync(join(folder, 'defaults.inf'), defaults.replace('with_systemd = 1', 'with_systemd = 0'));
  mkdirSync(join(folder, 'python'));
  writeFileSync(join(folder, 'python/sitecustomize.py'), patience);
  const python = `PYTHONPATH=${join(folder, 'python')}`;
  await toItsEnd(inside(folder, ['env', python, 'dscreate', 'from-file', join(folder, 'setup.inf')]));
}

/** dscreate starts the server for a moment and asks it at once; on a busy machine it does not listen yet. */
const patience = `import time, ldap, lib389
once = lib389.DirSrv.open
def patiently(self, *args, **named):
    for _ in range(200):
        try:
            return once(self, *args, **named)
        except ldap.SERVER_DOWN:
            time.sleep(0.1)
    return once(self, *args, **named)
lib389.DirSrv.open = patiently
`;

/**
 * On a busy machine dscreate returns before the server that it started for a moment has ended: then once more from the
 * beginning.
 */
async function createPatiently(port: number, fill: (folder: string) => Promise<void>): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const folder = mkdtempSync(join(tmpdir(), 'rollcall-ds389-'));
    try {
      await create(folder, port);
      await fill(folder);
      return folder;
    } catch (error) {
      endLeftover(folder);
      rmSync(folder, { recursive: true, force: true });
      if (attempt === 3) throw error;
    }
  }
}

/** The server that a failed dscreate may have left running, by its pid file. */
function endLeftover(folder: string): void {
  const file = join(folder, 'run/slapd-test.pid');
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  try {
    if (pid > 1) process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
}

async function load(folder: string, ldif: string): Promise<void> {
  const file = join(folder, 'load.ldif');
  writeFileSync(file, ldif);
  await toItsEnd(
    inside(folder, ['ns-slapd', 'ldif2db', '-D', '/etc/dirsrv/slapd-test', '-n', 'userroot', '-i', file]),
  );
}

async function start(folder: string, port: number): Promise<ChildProcess> {
  const log = openSync(join(folder, 'ns-slapd.out'), 'w');
  const pid = '/run/dirsrv/slapd-test.pid';
  const [command = '', ...args] = inside(folder, [
    'ns-slapd',
    '-d',
    '0',
    '-D',
    '/etc/dirsrv/slapd-test',
    '-i',
    pid,
  ]);
  const child = spawn(command, args, { stdio: ['ignore', log, log] });
  closeSync(log);
  running.add(child);
  const early = once(child, 'exit').then(() => {
    const errors = join(folder, 'log/errors');
    const said = existsSync(errors) ? readFileSync(errors, 'utf8').slice(-2000) : '';
    throw new Error(`ns-slapd ended: ${readFileSync(join(folder, 'ns-slapd.out'), 'utf8')}${said}`);
  });
  early.catch(() => undefined);
  await Promise.race([listening(port, 30_000), early]);
  return child;
}

function serverAt(folder: string, port: number, child: ChildProcess): Ds389 {
  const url = `ldap://127.0.0.1:${String(port)}`;
  const asManager = ['-x', '-H', url, '-D', manager.dn, '-w', manager.password];
  return {
    url,
    suffix,
    reader,
    modify: (ldif) => toItsEnd(['ldapmodify', ...asManager], ldif),
    add: (ldif) => toItsEnd(['ldapmodify', '-a', ...asManager], ldif),
    delete: (dns) => toItsEnd(['ldapdelete', ...asManager], `${dns.join('\n')}\n`),
    remove: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      }
      running.delete(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function inside(folder: string, command: readonly string[]): string[] {
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', inNamespace, folder, ...command];
}

async function toItsEnd([command = '', ...args]: readonly string[], input = ''): Promise<void> {
  const path = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;
  const child = spawn(findCommand(command) ?? command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, PATH: path },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4000)));
  }
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0)
    throw new Error(`${command} ${args.slice(-1).join('')}: status ${String(status)}: ${said}`);
}
