/**
 * A private, real Postfix for tests: own configuration, queue, data, log and loopback port; nothing of the system's own
 * Postfix is read or touched. It relays for the test domains and asks the product about their recipients.
 *
 *     const postfix = await startPostfix({ check: { policy: `inet:127.0.0.1:${port}` }, domains: ['example.com'] });
 *     ...
 *     await postfix.stop();
 *
 * `policy` asks a policy server (`check_policy_service`); `verify` probes the next hop (`reject_unverified_recipient`)
 * and is set to answer 550. Needs root, as Postfix does, and its users.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-port.js';
import { findCommand, requirePeer } from './peers.js';
import { mainCf, masterCf } from './postfix-config.js';

export const havePostfix: boolean = requirePeer('Postfix', ['postfix', 'postconf']) && canRun();

export interface PostfixOptions {
  readonly domains: readonly string[];
  /** What asks about recipients: a policy server (`inet:127.0.0.1:10040`, `unix:/path`), the next hop, or what the lines say. */
  readonly check:
    | { readonly policy: string }
    | { readonly verify: { readonly port: number } }
    /** Lines of main.cf, as a person would paste them; a name given twice counts as given last. */
    | { readonly lines: readonly string[] };
  /** More lines for main.cf. */
  readonly mainCf?: readonly string[];
  /** Lines of master.cf in place of its smtpd, the service `smtp` being moved to the port of the test. */
  readonly masterCf?: readonly string[];
  /** Where it takes SMTP; default: a free port. */
  readonly port?: number;
}

export interface Postfix {
  readonly port: number;
  readonly folder: string;
  /** What it has logged, for the message of a failing test. */
  log(): string;
  /** Stops it, and waits for the end of its master process; deletes everything. */
  stop(): Promise<void>;
}

const queues = new Set<string>();
process.once('exit', () => {
  // its other processes end with their master
  for (const queue of queues) signalMaster(queue, 'SIGKILL');
});

const queueLength = '/proc/sys/net/unix/max_dgram_qlen';

/**
 * Postfix logs through a datagram socket. Where the kernel's default of 10 messages stands, its master can block on a full
 * queue while it is the one that has to start the reader: all of it hangs. systemd sets 512 at boot; a container may lack it.
 */
function roomForLogs(): void {
  try {
    if (Number(readFileSync(queueLength, 'utf8')) < 512) writeFileSync(queueLength, '512');
  } catch {
    // not ours to set here
  }
}

export async function startPostfix(options: PostfixOptions): Promise<Postfix> {
  roomForLogs();
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-postfix-'));
  // Postfix gives up root for the user postfix, who has to get in here
  chmodSync(folder, 0o755);
  const port = options.port ?? (await freePort());
  const uid = idOf('/etc/passwd', 'postfix');
  for (const name of ['etc', 'data']) mkdirSync(join(folder, name), { mode: 0o755 });
  makeQueue(join(folder, 'queue'), uid);
  const logFile = join(folder, 'maillog');
  writeFileSync(logFile, '');
  for (const path of [join(folder, 'data'), logFile]) chownSync(path, uid, -1);
  writeOld(join(folder, 'etc/main.cf'), mainCf({ folder, ...options }));
  writeOld(join(folder, 'etc/master.cf'), masterCf(port, options.masterCf));

  const log = (): string => readFileSync(logFile, 'utf8');
  const started = await run(folder, 'start');
  if (started.status !== 0) throw new Error(`Postfix did not start: ${started.output}\n${log()}`);
  const queue = join(folder, 'queue');
  queues.add(queue);
  await listening(port, log);
  return {
    port,
    folder,
    log,
    async stop() {
      // as `postfix stop`, which looks once a second; the master may be another than at first, when a test has started it again
      const pid = signalMaster(queue, 'SIGTERM');
      await until(() => !isMaster(pid, queue), `Postfix master ${pid} has not ended`);
      queues.delete(queue);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Root, and the users of the package: without them there is no Postfix to run, whatever commands are there. */
function canRun(): boolean {
  try {
    if (process.getuid?.() === 0) return idOf('/etc/passwd', 'postfix') > 0;
  } catch {
    // told below
  }
  if (process.env['CI'] === 'true')
    throw new Error('Postfix needs root and the user postfix; with CI=true that is a failure');
  return false;
}

function idOf(file: '/etc/passwd' | '/etc/group', name: string): number {
  const entry = readFileSync(file, 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${name}:`));
  if (entry === undefined) throw new Error(`there is no ${name} in ${file}`);
  return Number(entry.split(':')[2]);
}

/** What `postfix check` would make, as in /etc/postfix/postfix-files; with `quick-start` there it is not called. */
function makeQueue(queue: string, uid: number): void {
  const make = (name: string, mode: number, owner = uid, group = -1): void => {
    const path = join(queue, name);
    mkdirSync(path, { mode });
    chownSync(path, owner, group);
    // whatever the umask is
    chmodSync(path, mode);
  };
  make('', 0o755, 0);
  make('pid', 0o755, 0);
  const own = 'active bounce corrupt defer deferred flush hold incoming private saved trace';
  for (const name of own.split(' ')) make(name, 0o700);
  const postdrop = idOf('/etc/group', 'postdrop');
  make('maildrop', 0o730, uid, postdrop);
  make('public', 0o710, uid, postdrop);
  writeFileSync(join(queue, 'quick-start'), '');
}

/** As written an hour ago: each process of Postfix waits before it reads a file that may still be under way. */
export function writeOld(file: string, text: string): void {
  writeFileSync(file, text);
  const hourAgo = Date.now() / 1000 - 3600;
  utimesSync(file, hourAgo, hourAgo);
}

/** Its pid. */
function signalMaster(queue: string, signal: NodeJS.Signals): number {
  const pid = Number(readFileSync(join(queue, 'pid/master.pid'), 'utf8').trim());
  if (isMaster(pid, queue)) process.kill(pid, signal);
  return pid;
}

/** Whether this process is still the master of our queue: its working directory is the queue. */
function isMaster(pid: number, queue: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === queue;
  } catch {
    return false;
  }
}

async function run(folder: string, command: string): Promise<{ status: number | null; output: string }> {
  const args = ['-c', join(folder, 'etc'), command];
  const outputFile = join(folder, `${command}.out`);
  // into a file: the master process inherits our pipes and would keep them open
  const shell = `exec "$0" "$@" >"${outputFile}" 2>&1 </dev/null`;
  const child = spawn('sh', ['-c', shell, findCommand('postfix') ?? 'postfix', ...args], {
    stdio: 'ignore',
    cwd: folder,
  });
  const [status] = (await once(child, 'exit')) as [number | null];
  return { status, output: readFileSync(outputFile, 'utf8') };
}

async function listening(port: number, log: () => string): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await delay(20);
    } finally {
      socket.destroy();
    }
  }
  throw new Error(`Postfix does not listen on port ${port}: ${log()}`);
}

async function until(holds: () => boolean, complaint: string): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    if (holds()) return;
    await delay(20);
  }
  throw new Error(complaint);
}
