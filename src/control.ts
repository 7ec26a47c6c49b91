/**
 * The control process: finds what a crash left, keeps lookup.db published, runs sources by their schedules, and serves
 * HTTP, and asks directories about single addresses for the edges. Everything that writes runs in worker threads
 * (compose/worker-pool.ts).
 *
 * Promises: resolves with 0 after a stop, in which running syncs get ten seconds to end (the process kills itself when one
 * cannot be ended at all); rejects with `config` or `store` when it cannot start.
 */
import { openCallAhead, type CallAhead } from './compose/call-ahead.js';
import { startChores } from './compose/chores.js';
import { confirmOnMiss } from './compose/confirm-on-miss.js';
import { watchDropFolders } from './compose/drop/control.js';
import type { DropWatch } from './compose/drop/watch.js';
import type { HttpParts } from './compose/control-http.js';
import { dueAfterReload, dueAtStart } from './compose/due.js';
import { startExports, type ExportWatch } from './compose/export-watch.js';
import { loadForStart } from './compose/last-config.js';
import { listenForSignals, type Door, type Lifecycle } from './compose/lifecycle.js';
import { openLive } from './compose/live.js';
import { logWarnings, openServiceLog } from './compose/logs.js';
import { recoverStore } from './compose/recover-store.js';
import { readsByItself } from './compose/reading.js';
import { createReloader, optionsOf, type Reloader } from './compose/reload.js';
import { createRunner, type Runner } from './compose/runner.js';
import { openVerdicts, type Verdicts } from './compose/verdicts.js';
import { createWorkerPool, type WorkerPool } from './compose/worker-pool.js';
import type { Config } from './config/schema.js';
import { describeAddress } from './edge/bind.js';
import type { HttpServer } from './http/options.js';
import { firstOf } from './policy/miss.js';
import { startScheduler, type Scheduler } from './sync/schedule.js';
import type { Logger } from './telemetry/log.js';

/** Runs that are under way at a stop may end by themselves in this time; then they are stopped and recorded as failed. */
const stopGraceMs = 8000;
const runsAtATime = 2;

export async function runControl({ configPath }: { readonly configPath: string }): Promise<number> {
  const { config, warnings, refused } = loadForStart(configPath);
  const lifecycle = listenForSignals();
  const { log, reload: reloadLogs } = openServiceLog(config, 'control');
  if (refused !== undefined)
    log.error({ err: refused }, 'configuration refused: running with the last good one');
  logWarnings(log, warnings);
  const jobs = createWorkerPool({ size: runsAtATime });
  // publishing must not wait behind two long syncs
  const chores = createWorkerPool({ size: 1 });
  // nor behind somebody's hook
  const exports = createWorkerPool({ size: 1 });
  try {
    await Promise.race([recoverStore(chores, config, log), lifecycle.stopped]);
    if (lifecycle.isStopping()) return 0;
    const createHttp = await httpOf(config);
    const verdicts = openVerdicts(config, log);
    const callAhead = openCallAhead({ config, domains: verdicts.domains, log, write: false });
    const control = startControl({
      createHttp,
      configPath,
      config,
      log,
      lifecycle,
      jobs,
      chores,
      exports,
      verdicts,
      callAhead,
      reloadLogs,
    });
    try {
      const doors = await control.listen();
      lifecycle.ready({ type: 'ready', process: 'control', pid: process.pid, doors });
      control.begin();
      log.info({ why: await lifecycle.stopped }, 'stopping');
    } finally {
      await control.stop();
      callAhead.close();
      verdicts.close();
    }
  } finally {
    const left = await Promise.all([jobs, chores, exports].map((pool) => pool.close(stopGraceMs)));
    lifecycle.close();
    if (left.some((threads) => threads > 0)) endByForce(log);
  }
  log.info('stopped');
  return 0;
}

/** Node waits for every thread, also in `process.exit`, and one inside a system call that never returns never ends. */
function endByForce(log: Logger): void {
  log.error('a thread did not end, perhaps because a disk does not answer: ending the process by force');
  process.kill(process.pid, 'SIGKILL');
}

/** HTTP brings big libraries, which are loaded only where it has a door. */
async function httpOf({ http }: Config): Promise<Parts['createHttp']> {
  if (http === undefined) return undefined;
  const { createControlHttp } = await import('./compose/control-http.js');
  return (parts) => createControlHttp(http, parts);
}

interface Parts {
  readonly createHttp: ((parts: HttpParts) => HttpServer) | undefined;
  readonly configPath: string;
  readonly config: Config;
  readonly log: Logger;
  readonly lifecycle: Lifecycle;
  readonly jobs: WorkerPool;
  readonly chores: WorkerPool;
  readonly exports: WorkerPool;
  readonly verdicts: Verdicts;
  readonly callAhead: CallAhead;
  readonly reloadLogs: (config: Config) => void;
}

interface Control {
  /** Opens HTTP. */
  listen(): Promise<readonly Door[]>;
  /** Begins to watch, to schedule, and to catch up. */
  begin(): void;
  stop(): Promise<void>;
}

function startControl(parts: Parts): Control {
  const { log, jobs, chores, exports, config } = parts;
  const reloader = createControlReloader(parts, (next, previous) => {
    live.reload(next);
    miss.reload(next);
    schedule(next);
    files?.reload();
    folders?.reload();
    for (const { source, why } of dueAfterReload(next, previous)) runner.soon(source, why);
  });
  const runner = createRunner({ jobs, config: reloader.current, log });
  const live = openLive({
    config,
    log,
    claim: (source, entries) => runner.run({ kind: 'claim', source, entries, actor: 'control' }),
  });
  // people who look change nothing, but are held to the same limits
  const miss = confirmOnMiss({ config, domains: parts.verdicts.domains, log, look: true }, live.ask);
  const confirm = firstOf(miss.confirm, parts.callAhead.confirm);
  const run: Runner['run'] = (job) => folders?.run(job) ?? runner.run(job);
  const http = parts.createHttp?.({ ...parts, config: reloader.current, run, live, confirm });
  let scheduler: Scheduler | undefined;
  let stopWatching: (() => void) | undefined;
  let files: ExportWatch | undefined;
  let folders: DropWatch | undefined;

  function schedule(next: Config): void {
    scheduler?.stop();
    scheduler = startSchedules(next, runner, log);
  }

  return {
    async listen() {
      await live.listen();
      const addresses = (await http?.listen()) ?? [];
      const doors = addresses.map((address) => ({ name: 'http', address: describeAddress(address) }));
      for (const { name, address } of doors) log.info({ door: name, address }, 'door open');
      return doors;
    },
    begin() {
      stopWatching = startChores({ chores, config: reloader.current, log });
      files = startExports({ config: reloader.current, pool: exports, log });
      folders = watchDropFolders(reloader.current, runner, log);
      schedule(config);
      for (const { source, why } of dueAtStart(config, Date.now())) runner.soon(source, why);
      parts.lifecycle.onReload(reloader.reload);
    },
    async stop() {
      scheduler?.stop();
      runner.stop();
      stopWatching?.();
      files?.stop();
      const putAway = folders?.stop();
      await live.close();
      const closing = Promise.all([jobs, chores, exports].map((pool) => pool.close(stopGraceMs)));
      await http?.close();
      await closing;
      await putAway;
    },
  };
}

function createControlReloader(parts: Parts, apply: (next: Config, previous: Config) => void): Reloader {
  return createReloader({
    configPath: parts.configPath,
    config: parts.config,
    log: parts.log,
    fixed: (c) => ({
      dataDir: c.dataDir,
      ...optionsOf('store', c.store),
      ...optionsOf('http', c.http),
      ...optionsOf('log', { ...c.log, level: '' }),
    }),
    apply(next, previous) {
      parts.callAhead.reload(next);
      parts.verdicts.reload(next);
      parts.reloadLogs(next);
      apply(next, previous);
    },
  });
}

function startSchedules(config: Config, runner: Runner, log: Logger): Scheduler {
  const sources = Object.entries(config.sources).flatMap(([name, source]) => {
    if (!readsByItself(source) || source.schedule === undefined) return [];
    const { schedule: expression, timezone, jitter: jitterMs } = source;
    return [{ name, expression, timezone, jitterMs }];
  });
  const scheduler = startScheduler({ sources, run: (source) => runner.scheduled(source), log });
  for (const { source, at } of scheduler.next()) log.debug({ source, at: new Date(at) }, 'scheduled');
  return scheduler;
}
