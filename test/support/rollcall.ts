/**
 * The built product, as its users have it: a configuration in a folder of its own, commands that end, processes that stay.
 *
 *     const rollcall = createRollcall({ domains: { … }, sources: { … }, edges: { policy: { listen: '127.0.0.1:0' } } });
 *     const { status, json } = await rollcall.cli(['sync', 'staff']);
 *     const edge = await rollcall.start('edge');
 *     edge.port('policy');
 *     ...
 *     await rollcall.remove();
 *
 * Runs dist/main.js, so the build must be there (`npm test` sees to it). Every process is a child with a pid we know, and
 * ends with the test at the latest.
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const readyDeadlineMs = 30_000;
const cliDeadlineMs = 120_000;

export type ProcessName = 'edge' | 'control' | 'serve';

export interface CliResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as JSON; undefined when it is not. */
  readonly json: Readonly<Record<string, unknown>> | undefined;
}

export interface CliOptions {
  readonly input?: string;
  readonly under?: readonly string[];
}

export interface RunningProcess {
  readonly pid: number;
  /** The port of an edge or of HTTP, whatever port it asked for. */
  port(door: string): number;
  /** All it has printed. */
  log(): string;
  /** SIGTERM, then its end. */
  stop(): Promise<void>;
  /** SIGKILL, then its end. */
  kill(): Promise<void>;
  isRunning(): boolean;
}

export interface Rollcall {
  readonly folder: string;
  readonly dataDir: string;
  readonly configFile: string;
  /** Replaces the configuration file. */
  configure(config: Readonly<Record<string, unknown>>): void;
  /** Runs one command with `--json` to its end; `under` is a command that runs it, such as one that limits it first. */
  cli(args: readonly string[], options?: CliOptions): Promise<CliResult>;
  /** Starts a command and does not wait: for tests that kill it. Its output is thrown away. */
  spawn(args: readonly string[]): ChildProcess;
  /** Starts a process and waits until it answers. */
  start(name: ProcessName): Promise<RunningProcess>;
  /** Ends everything that was started, and deletes the folder. */
  remove(): Promise<void>;
}

const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** `config` as in the configuration file; `dataDir` is set unless it is given. */
export function createRollcall(
  config: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string>> = {},
): Rollcall {
  if (!existsSync(main)) throw new Error('dist/main.js is not there: run `npm run build` first');
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-product-'));
  const configFile = join(folder, 'config.json');
  const dataDir = typeof config['dataDir'] === 'string' ? config['dataDir'] : join(folder, 'data');
  const mine = new Set<ChildProcess>();

  function launch(args: readonly string[], stdio: StdioOptions, under: readonly string[] = []): ChildProcess {
    const [command = '', ...rest] = [...under, process.execPath, main, '-c', configFile, ...args];
    const child = spawn(command, rest, { cwd: folder, env: { ...process.env, ...env }, stdio });
    for (const set of [children, mine]) set.add(child);
    child.once('exit', () => {
      for (const set of [children, mine]) set.delete(child);
    });
    return child;
  }

  const rollcall: Rollcall = {
    folder,
    dataDir,
    configFile,
    configure: (next) => writeFileSync(configFile, JSON.stringify({ dataDir, ...next }, null, 2)),
    spawn: (args) => launch(args, 'ignore'),
    async cli(args, { input = '', under = [] } = {}) {
      const child = launch([...args, '--json'], 'pipe', under);
      const output = collect(child);
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input);
      await ended(child, cliDeadlineMs, `rollcall ${args.join(' ')}`);
      return { status: child.exitCode, ...output(), json: parseJson(output().stdout) };
    },
    start: (name) => running(launch([name], ['ignore', 'pipe', 'pipe', 'ipc']), name),
    async remove() {
      await Promise.all([...mine].map((child) => endWith(child, 'SIGKILL')));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  rollcall.configure(config);
  return rollcall;
}

async function running(child: ChildProcess, name: ProcessName): Promise<RunningProcess> {
  const output = collect(child);
  const log = (): string => `${output().stdout}${output().stderr}`;
  const ready = new Promise<Record<string, string>>((resolve) => {
    child.on('message', (message) => {
      const doors = doorsOf(message);
      if (doors !== undefined) resolve(doors);
    });
  });
  const tooLate = delay(readyDeadlineMs, 'too late', { ref: false });
  const first = await Promise.race([ready, once(child, 'close').then(() => 'it ended'), tooLate]);
  if (typeof first === 'string') {
    child.kill('SIGKILL');
    throw new Error(`rollcall ${name} is not ready (${first}, status ${child.exitCode}): ${log()}`);
  }
  return {
    pid: child.pid ?? 0,
    port(door) {
      const port = Number(first[door]?.replace(/^.*:/, ''));
      if (!Number.isInteger(port)) throw new Error(`${name} has no door ${door}: ${JSON.stringify(first)}`);
      return port;
    },
    log,
    stop: () => endWith(child, 'SIGTERM'),
    kill: () => endWith(child, 'SIGKILL'),
    isRunning: () => isAlive(child),
  };
}

/** `{type: 'ready', doors: [{name, address}]}`, as compose/lifecycle.ts sends it. */
function doorsOf(message: unknown): Record<string, string> | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { type, doors } = message as { type?: unknown; doors?: readonly { name: string; address: string }[] };
  if (type !== 'ready' || doors === undefined) return undefined;
  return Object.fromEntries(doors.map(({ name, address }) => [name, address]));
}

function collect(child: ChildProcess): () => { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  return () => ({ ...output });
}

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function endWith(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (!isAlive(child)) return;
  const gone = ended(child, readyDeadlineMs, `pid ${child.pid}`, 'exit');
  child.kill(signal);
  await gone;
}

/** `close` comes after the last output; `exit` may come before. */
async function ended(
  child: ChildProcess,
  deadlineMs: number,
  what: string,
  event: 'close' | 'exit' = 'close',
): Promise<void> {
  try {
    await once(child, event, { signal: AbortSignal.timeout(deadlineMs) });
  } catch (cause) {
    child.kill('SIGKILL');
    throw new Error(`${what} did not end within ${deadlineMs / 1000} s`, { cause });
  }
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
