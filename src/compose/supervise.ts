/**
 * Keeps one child process alive: starts it, and starts it again when it dies, further apart each time.
 *
 * Promises: never two of it at a time; a child that lived for a while is started again at once; after `stop` none is
 * started. Whatever ends a child that was not asked to end is a death, status 0 included.
 */
import type { ChildProcess } from 'node:child_process';
import type { Logger } from '../telemetry/log.js';
import { isReadyMessage, type ReadyMessage } from './lifecycle.js';

export interface SuperviseOptions {
  /** `edge`, `control`. */
  readonly name: string;
  readonly start: () => ChildProcess;
  readonly onReady: (message: ReadyMessage) => void;
  /** A death before it was ever ready. Returns whether to try again. */
  readonly onEarlyDeath: (status: number | null) => boolean;
  readonly log: Logger;
  readonly now?: () => number;
}

export interface Supervised {
  readonly pid: () => number | undefined;
  signal(signal: NodeJS.Signals): void;
  /** Asks it to end; after `graceMs` it is killed. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
}

interface Death {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly err?: string;
}

const firstDelayMs = 100;
const longestDelayMs = 30_000;
/** A child that lived so long has not failed at its start: the delay begins anew. */
const soundMs = 60_000;

export function supervise(options: SuperviseOptions): Supervised {
  const { name, log, now = () => performance.now() } = options;
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let delayMs = firstDelayMs;
  let stopping = false;
  let wasReady = false;
  let gone: (() => void) | undefined;

  function start(): void {
    const startedAt = now();
    const started = options.start();
    child = started;
    let ended = false;
    const onEnd = (status: number | null, signal: NodeJS.Signals | null, error?: Error): void => {
      if (ended) return;
      ended = true;
      child = undefined;
      if (stopping) gone?.();
      else onDeath(now() - startedAt, { status, signal, ...(error !== undefined && { err: error.message }) });
    };
    started.on('message', (message) => {
      if (!isReadyMessage(message)) return;
      wasReady = true;
      options.onReady(message);
    });
    started.on('exit', onEnd);
    // could not be started at all, or the channel broke: only the first has no pid
    started.on('error', (error) => {
      if (started.pid === undefined) onEnd(null, null, error);
      else log.warn({ child: name, err: error.message }, 'child process');
    });
  }

  function onDeath(livedMs: number, how: Death): void {
    if (!wasReady && !options.onEarlyDeath(how.status)) return;
    if (livedMs >= soundMs) delayMs = firstDelayMs;
    log.error({ child: name, ...how, againInMs: delayMs }, 'child process died: starting it again');
    timer = setTimeout(start, delayMs);
    delayMs = Math.min(longestDelayMs, delayMs * 2);
  }

  async function stop(graceMs: number): Promise<void> {
    stopping = true;
    clearTimeout(timer);
    const last = child;
    if (last === undefined) return;
    const ended = new Promise<void>((resolve) => (gone = resolve));
    last.kill('SIGTERM');
    const killer = setTimeout(() => {
      log.error({ child: name }, 'child process did not end in time: killed');
      last.kill('SIGKILL');
    }, graceMs);
    await ended;
    clearTimeout(killer);
  }

  start();
  return { pid: () => child?.pid, signal: (signal) => void child?.kill(signal), stop };
}
