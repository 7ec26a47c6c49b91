/**
 * The hook: a command that runs after a file has changed (`postmap`, `postfix reload`, rsync), never through a shell.
 *
 * Promises: it ends, by its own or within its timeout, which ends all processes it began; its exit status is told, and the
 * end of what it wrote. What it leaves behind when it ends by its own is its own affair. It is given no secrets: only PATH, HOME, LANG and what it is about. Never throws.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { dirname } from 'node:path';
import { messageOf } from '../errors.js';

export interface HookOptions {
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  readonly timeoutMs: number;
}

export interface HookResult {
  readonly ok: boolean;
  /** `exit status 0`, `exit status 75`, `killed after 60 s`, `cannot be run: …`. */
  readonly ended: string;
  /** The end of its standard output and error. */
  readonly output: string;
  readonly ms: number;
}

const outputChars = 2000;
/** After SIGTERM. */
const killMs = 2000;
/** For the rest of its output, which a process that it left behind may hold open for ever. */
const outputMs = 500;

export function runHook(
  { command, timeoutMs }: HookOptions,
  about: { readonly name: string; readonly path: string; readonly generation: number },
  signal: AbortSignal,
): Promise<HookResult> {
  const began = performance.now();
  const [program, ...args] = command;
  return new Promise((resolve) => {
    let output = '';
    let ended: string | undefined;
    const timers: NodeJS.Timeout[] = [];
    const finish = (ok: boolean, how: string): void => {
      timers.forEach(clearTimeout);
      signal.removeEventListener('abort', onAbort);
      for (const stream of [child.stdout, child.stderr]) stream.destroy();
      resolve({ ok, ended: how, output: output.trim(), ms: Math.round(performance.now() - began) });
    };
    const child = spawn(program, args, {
      cwd: dirname(about.path),
      env: environment(about),
      stdio: ['ignore', 'pipe', 'pipe'],
      // a group of its own, so that what it began can be ended with it
      detached: true,
    });
    const cut = (why: string): void => {
      ended ??= why;
      endGroup(child, 'SIGTERM');
      timers.push(
        setTimeout(() => {
          endGroup(child, 'SIGKILL');
          // whoever left the group may still hold our pipes
          timers.push(setTimeout(() => finish(false, ended ?? why), killMs));
        }, killMs),
      );
    };
    const onAbort = (): void => cut('ended because Rollcall is stopping');
    timers.push(setTimeout(() => cut(`killed after ${timeoutMs / 1000} s`), timeoutMs));
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-outputChars);
      });
    }
    child.once('error', (error) => finish(false, `cannot be run: ${messageOf(error)}`));
    const end = (status: number | null, by: NodeJS.Signals | null): void => {
      const how = ended ?? (status === null ? `killed by ${by ?? 'a signal'}` : `exit status ${status}`);
      finish(ended === undefined && status === 0, how);
    };
    child.once('exit', (status, by) => {
      // who is being cut has a timer of its own
      if (ended !== undefined) return;
      timers.splice(0).forEach(clearTimeout);
      timers.push(setTimeout(() => end(status, by), outputMs));
    });
    child.once('close', end);
  });
}

function endGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // it has ended
  }
}

const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function environment({ name, path, generation }: Parameters<typeof runHook>[1]): NodeJS.ProcessEnv {
  const { PATH, HOME, LANG } = process.env;
  return {
    PATH: PATH === undefined || PATH === '' ? searchPath : PATH,
    ...(HOME !== undefined && { HOME }),
    ...(LANG !== undefined && { LANG }),
    ROLLCALL_EXPORT: name,
    ROLLCALL_FILE: path,
    ROLLCALL_GENERATION: String(generation),
  };
}
