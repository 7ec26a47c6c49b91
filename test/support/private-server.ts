/**
 * Real servers that are unpacked, not installed (scripts/peers-unpacked.mjs), run as their own machine would run them: with
 * users, hosts file and folders of their own, in mount and process namespaces that nobody else sees.
 *
 * Promises: nothing of the system is read or touched that the server does not need; the unpacked files are at `peerRoot`
 * whatever path the checkout has; everything it started ends with it, and it ends with the test at the latest.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { requirePeer } from './peers.js';

/** Where an unpacked server finds its files, inside its namespace: a folder that every Debian has and few use. */
export const peerRoot = '/mnt';

const peersFolder = fileURLToPath(new URL('../../.cache/peers/', import.meta.url));

export interface PrivateServer {
  /** What it has printed, and what is in the log files that it was said to write. */
  log(): string;
  /**
   * Runs another program of the peer's folder beside it, to its end; with this group when given. Its output; throws with
   * its complaint.
   */
  run(command: readonly string[], group?: number): Promise<string>;
  /** Ends it and everything that it started, and deletes its folder. */
  stop(): Promise<void>;
}

export interface PrivateServerOptions {
  /** The folder under .cache/peers. */
  readonly peer: string;
  /** Its own folder, from `privateFolder`. */
  readonly folder: string;
  /** The program in the peer's folder (`usr/sbin/exim4`), and what follows. It stays in the foreground. */
  readonly command: readonly [program: string, ...args: string[]];
  /** Where it takes connections. */
  readonly port: number;
  /** Users and groups that the system may lack, with their ids. */
  readonly users?: Readonly<Record<string, number>>;
  /** Folders and files laid over those of the system: `[from, over]`. */
  readonly mounts?: readonly (readonly [from: string, over: string])[];
  readonly logFiles?: readonly string[];
}

const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Whether this server was unpacked and can be run here. Throws when it cannot and `CI=true`. */
export function havePrivateServer(name: string, peer: string, programs: readonly string[]): boolean {
  const files = programs.map((program) => join(peersFolder, peer, program));
  const tools = ['unshare', 'nsenter', 'setpriv', 'mount'];
  if (!requirePeer(`${name} (npm test unpacks it)`, [...files, ...tools])) return false;
  if (mayHaveNamespaces()) return true;
  if (process.env['CI'] === 'true') {
    throw new Error(`${name} needs root and namespaces (unshare); with CI=true that is a failure`);
  }
  return false;
}

/** A container may have root without them. */
function mayHaveNamespaces(): boolean {
  if (process.getuid?.() !== 0) return false;
  const { status } = spawnSync('unshare', ['--mount', '--pid', '--fork', 'true'], { stdio: 'ignore' });
  return status === 0;
}

/** A folder that servers without root can read. */
export function privateFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `rollcall-${name}-`));
  chmodSync(folder, 0o755);
  return folder;
}

/** Runs a program of the peer's folder to its end, such as m4. Its output; throws with its complaint. */
export async function runPeer(peer: string, command: readonly string[], cwd: string): Promise<string> {
  const [program = '', ...args] = command;
  const at = join(peersFolder, peer);
  return toItsEnd([join(at, program), ...args], { cwd, LD_LIBRARY_PATH: libraryPath(peer, at) });
}

async function toItsEnd(
  [program = '', ...args]: readonly string[],
  { cwd, LD_LIBRARY_PATH }: { readonly cwd: string; readonly LD_LIBRARY_PATH: string },
): Promise<string> {
  const env = { ...process.env, LD_LIBRARY_PATH };
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, complaint] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`${program} ended with status ${String(status)}: ${complaint}${output}`);
  return output;
}

/** The same folder as the server sees it in `peerRoot`, for its configuration and for `runPeer`. */
export function peerPath(peer: string, path: string): string {
  return join(peersFolder, peer, path);
}

/** Starts it, and waits until its port answers. Throws with its own words when it does not. */
export async function startPrivateServer(options: PrivateServerOptions): Promise<PrivateServer> {
  const { peer, folder, command, port } = options;
  const [program, ...args] = command;
  const outputFile = join(folder, 'output');
  const output = openSync(outputFile, 'a');
  const mounts = [[join(peersFolder, peer), peerRoot], ...users(options), ...(options.mounts ?? [])];
  // setpriv: it ends even when this process is killed; --kill-child: with the first process go all others
  const child = spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'SIGKILL', 'unshare', '--mount', '--propagation', 'private'],
      ...['--pid', '--kill-child', 'sh', '-c', mountAndRun, 'sh', String(mounts.length)],
      ...mounts.flat(),
      ...[join(peerRoot, program), ...args],
    ],
    {
      cwd: folder,
      env: { ...process.env, LD_LIBRARY_PATH: libraryPath(peer, peerRoot) },
      stdio: ['ignore', output, output],
    },
  );
  closeSync(output);
  children.add(child);
  const log = (): string =>
    [outputFile, ...(options.logFiles ?? [])]
      .filter((file) => existsSync(file))
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n');
  const stop = async (): Promise<void> => {
    await end(child);
    await until(port, false, () => `port ${port} is still taken`);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until(port, true, () => `${program} does not listen on port ${port}: ${log()}`, child);
  } catch (error) {
    await end(child);
    throw error;
  }
  const beside = ['nsenter', '--target', String(firstProcess(child)), '--mount', '--'];
  return {
    log,
    stop,
    run: ([other = '', ...rest], group = 0) =>
      toItsEnd([...beside, ...asGroup(group), join(peerRoot, other), ...rest], {
        cwd: folder,
        LD_LIBRARY_PATH: libraryPath(peer, peerRoot),
      }),
  };
}

/** For programs that would be setgid if they were installed. */
function asGroup(group: number): string[] {
  return ['setpriv', '--regid', String(group), '--clear-groups'];
}

/** The shell inside the namespaces: the one child of unshare. */
function firstProcess({ pid = 0 }: ChildProcess): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}

/**
 * $1 mounts follow, each as two words; then the command. No exec: a server that gives up root would no longer be told of
 * its parent's death (prctl(2)); the shell is, and with it, as the first process of the namespace, end all others.
 */
const mountAndRun =
  'n=$1; shift; while [ "$n" -gt 0 ]; do mount --bind "$1" "$2" || exit 1; shift 2; n=$((n-1)); done; "$@"; exit $?';

/** Copies of passwd and group with these users added. */
function users({ folder, users: wanted }: PrivateServerOptions): [string, string][] {
  if (wanted === undefined) return [];
  const others = (file: string): string[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && wanted[line.split(':')[0] ?? ''] === undefined);
  const passwd = Object.entries(wanted).map(([name, id]) => `${name}:x:${id}:${id}::/:/usr/sbin/nologin`);
  const group = Object.entries(wanted).map(([name, id]) => `${name}:x:${id}:`);
  mkdirSync(join(folder, 'etc'), { recursive: true });
  writeFileSync(join(folder, 'etc/passwd'), `${[...others('/etc/passwd'), ...passwd].join('\n')}\n`);
  writeFileSync(join(folder, 'etc/group'), `${[...others('/etc/group'), ...group].join('\n')}\n`);
  return [
    [join(folder, 'etc/passwd'), '/etc/passwd'],
    [join(folder, 'etc/group'), '/etc/group'],
  ];
}

function libraryPath(peer: string, at: string): string {
  const lib = join(peersFolder, peer, 'usr/lib');
  const machine = existsSync(lib) ? readdirSync(lib).filter((name) => name.includes('-linux-')) : [];
  return ['usr/lib', ...machine.map((name) => `usr/lib/${name}`)].map((path) => join(at, path)).join(':');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
  children.delete(child);
}

async function until(
  port: number,
  wanted: boolean,
  complaint: () => string,
  child?: ChildProcess,
): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    if ((await answers(port)) === wanted) return;
    if (child !== undefined && (child.exitCode !== null || child.signalCode !== null)) break;
    await delay(20);
  }
  throw new Error(complaint());
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
