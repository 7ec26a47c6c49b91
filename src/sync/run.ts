/**
 * One run of a source, the story on one screen: lease → read → plan → guard → apply → publish.
 *
 * Promises: the run is recorded whatever its end; a preview takes the same path up to the write; what the source or the
 * guard refuses leaves the claims as they were. Reads the changes where they can be relied on, and everything on any doubt.
 * Throws only `conflict` (another run of the source is in progress, or the lease was lost) and failures of the store itself:
 * any other end is a record.
 */
import { asRollcallError, RollcallError } from '../errors.js';
import { holdsLease, renewLease } from '../store/sqlite/lease.js';
import { explainStoreError } from '../store/sqlite/open.js';
import { getRun } from '../store/sqlite/run-records.js';
import { beginRun, closeRun } from '../store/sqlite/runs.js';
import { openStaging, type Staging } from '../store/sqlite/staging.js';
import { noCounts, type RunHandle, type RunRecord, type RunState } from '../store/store.js';
import { runChanges } from './run-changes.js';
import { runFull } from './run-full.js';
import type { RunDeps, SyncRequest } from './request.js';

export async function runSync(deps: RunDeps, request: SyncRequest): Promise<RunRecord> {
  const kind = request.dryRun ? 'preview' : request.kind;
  const handle = beginRun(deps.db, { ...request, kind, now: deps.now(), leaseMs: deps.leaseMs });
  const lease = keepLease(deps, handle);
  let staging: Staging | undefined;
  try {
    staging = openStaging(deps.db, handle.run);
    const part = { deps, request, handle, staging, heartbeat: () => lease.heartbeat() };
    const why = await runChanges(part);
    if (why !== undefined) await runFull(part, why);
  } catch (error) {
    closeFailed(deps, handle, error);
  } finally {
    lease.stop();
    await request.source.close?.().catch(() => undefined);
    staging?.discard();
  }
  return finish(deps, handle);
}

/**
 * Keeps the lease while the run goes on, also while a source waits long for an answer; `heartbeat` throws when it was lost. A
 * store that cannot be written now, as another run is applying its list, is no loss: there is a third time to try.
 */
function keepLease(deps: RunDeps, handle: RunHandle): { heartbeat(): void; stop(): void } {
  let renewedAt = handle.startedAt;
  let lost: RollcallError | undefined;
  const renew = (): void => {
    renewedAt = deps.now();
    try {
      renewLease(deps.db, handle, renewedAt + deps.leaseMs);
    } catch (error) {
      const known = asRollcallError(error);
      if (known.code === 'conflict') lost ??= known;
    }
  };
  const timer = setInterval(renew, deps.leaseMs / 3);
  return {
    heartbeat() {
      if (deps.now() - renewedAt >= deps.leaseMs / 3) renew();
      if (lost !== undefined) throw lost;
    },
    stop: () => clearInterval(timer),
  };
}

/**
 * Records why a run failed. Throws a `conflict` on, once it is recorded; and when even that cannot be written: then the run
 * is found unfinished at the next start.
 */
export function closeFailed(deps: RunDeps, handle: RunHandle, error: unknown): void {
  const known = explainStoreError(deps.db, error);
  // whoever took the lease over has marked this run; its row is not ours to write
  if (!holdsLease(deps.db, handle)) throw known;
  const reasons = known.hint === '' ? [known.message] : [known.message, known.hint];
  const state: RunState = known.code === 'input' ? 'refused' : 'failed';
  try {
    closeRun(
      deps.db,
      handle,
      { state, complete: false, counts: noCounts, reasons, notes: [], description: '', now: deps.now() },
      [],
    );
  } catch (second) {
    throw new RollcallError(
      'store',
      `run ${handle.run} failed (${known.message}) and that could not be recorded`,
      {
        cause: second,
      },
    );
  }
  if (known.code === 'conflict') throw known;
}

/**
 * Publishes, also when nothing changed: the edges must learn how fresh the list is. Returns the record. Throws `store` when the run
 * is in the store and could not be published.
 */
export function finish(deps: RunDeps, handle: RunHandle): RunRecord {
  const record = getRun(deps.db, handle.run);
  if (record === undefined) throw new RollcallError('internal', `run ${handle.run} is missing`);
  if (!['failed', 'refused', 'planned'].includes(record.state)) {
    deps.progress?.('publishing', 0);
    publishRun(deps, record);
  }
  return record;
}

function publishRun({ publish }: RunDeps, { run, state }: RunRecord): void {
  try {
    publish();
  } catch (error) {
    const { code, message, hint } = asRollcallError(error);
    throw new RollcallError(
      code,
      `run ${run} is in the store (${state}), but the edges lack it: ${message}`,
      {
        hint,
        cause: error,
      },
    );
  }
}
