/**
 * Watches lookup.db from control and has the exports written after each publish, in a thread of their own.
 *
 * Promises: one round at a time, and one more for whatever was published meanwhile; a round that fails is told in the log
 * and tried again after the next publish or in ten minutes; nothing waits for it, no sync and no publish.
 */
import type { Config } from '../config/schema.js';
import { messageOf } from '../errors.js';
import { isWell, type ExportReport } from '../export/options.js';
import { readLookupMark } from '../lookup/mark.js';
import { lookupPath } from '../lookup/schema.js';
import type { Logger } from '../telemetry/log.js';
import type { WorkerPool } from './worker-pool.js';

export interface ExportWatchOptions {
  readonly config: () => Config;
  /** Grows or changes with every publish; may throw. */
  readonly mark: () => string;
  readonly run: (onlyDue: boolean) => Promise<readonly ExportReport[]>;
  readonly log: Logger;
  /** In ms, of a clock that never goes back. */
  readonly now?: () => number;
  /** Default 1 s. */
  readonly everyMs?: number;
}

export interface ExportWatch {
  /** Looks now. Resolves when what there was to do is done, or has failed. */
  check(): Promise<void>;
  /** The configuration changed: every export is looked at, whatever was published. */
  reload(): void;
  stop(): void;
}

/** Removed addresses lapse, and a hook that failed is tried again. */
const againMs = 10 * 60_000;
/** Somebody exports by hand. */
const busyMs = 5000;

export function watchExports(options: ExportWatchOptions): ExportWatch {
  const { log, now = () => performance.now() } = options;
  let working = false;
  let seen: string | undefined;
  let lookAtAll = true;
  let nextAt = -Infinity;

  /** A snapshot that cannot be read now is somebody else's to mend. */
  function markNow(): string | undefined {
    try {
      return options.mark();
    } catch {
      return undefined;
    }
  }

  async function check(): Promise<void> {
    if (working || Object.keys(options.config().exports).length === 0) return;
    const mark = markNow();
    if (mark === undefined || (mark === seen && !lookAtAll && now() < nextAt)) return;
    const onlyDue = !lookAtAll;
    [working, lookAtAll, seen, nextAt] = [true, false, mark, now() + againMs];
    try {
      const reports = await options.run(onlyDue);
      for (const report of reports) logExport(log, report);
      if (reports.some(({ busy }) => busy === true)) nextAt = now() + busyMs;
    } catch (error) {
      log.error({ err: messageOf(error) }, 'exports not written');
    } finally {
      working = false;
    }
  }

  const timer = setInterval(() => void check(), options.everyMs ?? 1000);
  timer.unref();
  return {
    check,
    reload() {
      lookAtAll = true;
    },
    stop: () => clearInterval(timer),
  };
}

/** The watch of control, which has them written in `pool`. */
export function startExports(parts: {
  readonly config: () => Config;
  readonly pool: WorkerPool;
  readonly log: Logger;
}): ExportWatch {
  const { config, pool, log } = parts;
  const lookupFile = lookupPath(config().dataDir);
  return watchExports({
    config,
    mark: () => JSON.stringify(readLookupMark(lookupFile)),
    run: (onlyDue) => pool.run(config, { kind: 'export', onlyDue }),
    log,
  });
}

function logExport(log: Logger, report: ExportReport): void {
  const { name, state, path, generation, reasons, hint, warnings, hook } = report;
  const addresses = report.domains.reduce((sum, each) => sum + each.addresses, 0);
  const fields = {
    ...{ export: name, state, path, generation, addresses },
    ...(warnings.length > 0 && { warnings }),
    ...(hook !== null && { hook: hook.ended, hookOutput: hook.output }),
  };
  if (report.busy === true) log.info({ ...fields, reasons }, 'export busy, tried again soon');
  else if (!isWell(report))
    log.error({ ...fields, reasons, ...(hint !== '' && { hint }) }, 'export not as it should be');
  else if (state === 'unchanged' && hook === null) log.debug(fields, 'export unchanged');
  else log.info(fields, 'export written');
}
