/**
 * Runs: begun with a lease, ended with everything that is to be known about them, found again after a crash.
 *
 * Promises: every attempt leaves a row, whatever its end; a run whose process is gone is marked `interrupted`, never
 * resumed.
 */
import { RollcallError } from '../../errors.js';
import type { Counts, Resolution, RunHandle, RunKind, RunMode, RunState, SourceRef } from '../store.js';
import { liveLease, ownerMayLive, ownerOfThread, releaseLease, takeLease } from './lease.js';
import type { Mark } from './meta.js';
import type { Db } from './open.js';

export interface BeginRun {
  readonly ref: SourceRef;
  readonly kind: RunKind;
  readonly actor: string;
  readonly parent?: number | undefined;
  readonly now: number;
  readonly leaseMs: number;
}

/** Takes the lease and records the run as running. Throws `conflict` while another run of the source is in progress. */
export function beginRun(db: Db, begin: BeginRun): RunHandle {
  return db
    .transaction((): RunHandle => {
      const lease = liveLease(db, begin.ref, begin.now, begin.leaseMs);
      if (lease !== undefined) {
        throw new RollcallError(
          'conflict',
          `run ${lease.run} of source ${begin.ref.name} is still in progress`,
          {
            hint: 'Wait for it to end, or stop the process that runs it.',
          },
        );
      }
      interruptRunsOf(db, begin.ref, begin.now);
      const run = nextRun(db);
      db.prepare(
        `INSERT INTO run (run, tenant, source, kind, parent, actor, state, started_at) VALUES (?, ?, ?, ?, ?, ?, 'running', ?)`,
      ).run(
        run,
        begin.ref.tenantId,
        begin.ref.sourceId,
        begin.kind,
        begin.parent ?? null,
        begin.actor,
        begin.now,
      );
      takeLease(db, begin.ref, run, begin.now + begin.leaseMs);
      return { run, ref: begin.ref, kind: begin.kind, startedAt: begin.now };
    })
    .immediate();
}

function nextRun(db: Db): number {
  return db.prepare<[], number>('SELECT COALESCE(MAX(run), 0) + 1 FROM run').pluck().get() ?? 1;
}

function interruptRunsOf(db: Db, ref: SourceRef, now: number): void {
  db.prepare(
    `UPDATE run SET state = 'interrupted', ended_at = ?, reasons = json_array('the process ended before the run did')
     WHERE tenant = ? AND source = ? AND state = 'running'`,
  ).run(now, ref.tenantId, ref.sourceId);
}

interface UnfinishedRow {
  readonly run: number;
  readonly tenant: number;
  readonly source: number;
  readonly owner: string | null;
  readonly expires_at: number | null;
}

/** Marks runs whose process is gone as interrupted; returns their numbers. Called at every start. */
export function markInterrupted(db: Db, now: number): number[] {
  const isGone = ({ owner, expires_at }: UnfinishedRow): boolean =>
    owner === null || (expires_at ?? 0) <= now || !ownerMayLive(owner);
  return interrupt(db, now, isGone, 'the process ended before the run did');
}

/** The same for what a thread of this process has left that is known to be gone. */
export function interruptRunsOfThread(db: Db, now: number, thread: number): number[] {
  const gone = ownerOfThread(thread);
  return interrupt(db, now, ({ owner }) => owner === gone, 'the thread of the run ended before it did');
}

function interrupt(db: Db, now: number, isGone: (row: UnfinishedRow) => boolean, reason: string): number[] {
  const find = db.prepare<[], UnfinishedRow>(
    `SELECT r.run, r.tenant, r.source, l.owner, l.expires_at FROM run r
     LEFT JOIN lease l ON l.tenant = r.tenant AND l.source = r.source AND l.run = r.run WHERE r.state = 'running'`,
  );
  const mark = db.prepare(
    `UPDATE run SET state = 'interrupted', ended_at = ?, reasons = json_array(?) WHERE run = ?`,
  );
  const free = db.prepare('DELETE FROM lease WHERE tenant = ? AND source = ? AND run = ?');
  return db
    .transaction(() => {
      const gone = find.all().filter(isGone);
      for (const row of gone) {
        mark.run(now, reason, row.run);
        free.run(row.tenant, row.source, row.run);
      }
      return gone.map((row) => row.run);
    })
    .immediate();
}

export interface RunEnd {
  readonly state: RunState;
  /** Default: everything. */
  readonly mode?: RunMode | undefined;
  readonly complete: boolean;
  readonly planHash?: string | undefined;
  readonly heldHash?: string | undefined;
  readonly resolution?: Resolution | undefined;
  /** The generation it made, with its stamp. */
  readonly made?: Pick<Mark, 'generation' | 'stamp'> | undefined;
  readonly counts: Counts;
  readonly reasons: readonly string[];
  readonly notes: readonly string[];
  readonly description: string;
  readonly now: number;
}

/** Writes how a run ended and frees its lease. Inside the caller's transaction. */
export function endRun(db: Db, handle: RunHandle, end: RunEnd): void {
  const { counts } = end;
  db.prepare(
    `UPDATE run SET state = ?, mode = ?, complete = ?, plan_hash = ?, held_hash = ?, resolution = ?, generation = ?, stamp = ?, ended_at = ?,
       n_read = ?, n_added = ?, n_changed = ?, n_removed = ?, n_held = ?, n_skipped = ?, reasons = ?, notes = ?, description = ?
     WHERE run = ?`,
  ).run(
    end.state,
    end.mode ?? 'full',
    end.complete ? 1 : 0,
    end.planHash ?? null,
    end.heldHash ?? null,
    end.resolution ?? null,
    end.made?.generation ?? null,
    end.made?.stamp ?? null,
    end.now,
    counts.read,
    counts.added,
    counts.changed,
    counts.removed,
    counts.held,
    counts.skipped,
    JSON.stringify(end.reasons),
    JSON.stringify(end.notes),
    end.description,
    handle.run,
  );
  releaseLease(db, handle);
}

/** Ends a run that changed nothing, in a transaction of its own. */
export function closeRun(
  db: Db,
  handle: RunHandle,
  end: RunEnd,
  problems: readonly { where: string; reason: string }[],
): void {
  db.transaction(() => {
    saveProblems(db, handle, problems);
    endRun(db, handle, end);
  }).immediate();
}

export function saveProblems(
  db: Db,
  handle: RunHandle,
  problems: readonly { where: string; reason: string }[],
): void {
  const insert = db.prepare('INSERT INTO problem (tenant, run, n, place, reason) VALUES (?, ?, ?, ?, ?)');
  problems.forEach((problem, n) =>
    insert.run(handle.ref.tenantId, handle.run, n, problem.where, problem.reason),
  );
}
