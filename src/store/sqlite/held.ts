/** Held parts of plans: the newest open one of a source, and dropping one. */
import { RollcallError } from '../../errors.js';
import type { RunHandle, SourceRef } from '../store.js';
import { recordAudit } from './audit.js';
import type { Db } from './open.js';

export interface Hold {
  readonly run: number;
  readonly hash: string;
}

/** The open hold of a source; there is at most one, a newer plan takes the place of an older. */
export function newestHold(db: Db, ref: SourceRef): Hold | undefined {
  return db
    .prepare<[number, number], Hold>(
      `SELECT run, held_hash AS hash FROM run
       WHERE tenant = ? AND source = ? AND resolution = 'pending' ORDER BY run DESC LIMIT 1`,
    )
    .get(ref.tenantId, ref.sourceId);
}

/** Of the staged difference, what waits for a person already: it is neither counted anew nor applied by the way. */
export function leaveHeld(db: Db, ref: SourceRef): void {
  const hold = newestHold(db, ref);
  if (hold === undefined) return;
  db.prepare(
    `DELETE FROM stage.diff WHERE op IN ('-', '=', '!') AND EXISTS (
       SELECT 1 FROM held h WHERE h.tenant = ? AND h.run = ? AND h.key = diff.key AND h.object = diff.object
         AND CASE h.op WHEN '-' THEN diff.op <> '!' WHEN '!' THEN diff.op = '!' AND diff.flags = h.flags END)`,
  ).run(ref.tenantId, hold.run);
}

/**
 * How much of what waits for a person is no longer so: objects staged now claim what was to be taken away, come without the
 * denial or no longer claim what was to be denied, or have a value that could not be used.
 */
export function countContradicted(db: Db, ref: SourceRef): number {
  const hold = newestHold(db, ref);
  if (hold === undefined) return 0;
  return (
    db
      .prepare<[number, number], number>(
        `SELECT COUNT(*) FROM held h LEFT JOIN stage.wanted w ON w.key = h.key AND w.object = h.object
         WHERE h.tenant = ? AND h.run = ? AND h.op <> '+' AND (
           CASE h.op WHEN '-' THEN w.key IS NOT NULL ELSE w.flags <> h.flags END
           OR EXISTS (SELECT 1 FROM stage.diff g WHERE h.op = '!' AND g.op IN ('-', '=') AND g.key = h.key AND g.object = h.object)
           OR EXISTS (SELECT 1 FROM stage.doubtful d WHERE d.object = h.object))`,
      )
      .pluck()
      .get(ref.tenantId, hold.run) ?? 0
  );
}

/** The hash of what a run held, whatever became of it. */
export function settledHash(db: Db, run: number): string | undefined {
  return (
    db.prepare<[number], string | null>('SELECT held_hash FROM run WHERE run = ?').pluck().get(run) ??
    undefined
  );
}

/** Throws `conflict` when the run holds nothing any more. What additions it held stay missing, so its list stays incomplete. */
export function discardHeld(db: Db, ref: SourceRef, run: number, by: { actor: string; now: number }): void {
  db.transaction(() => {
    const { changes } = db
      .prepare("UPDATE run SET resolution = 'discarded' WHERE run = ? AND resolution = 'pending'")
      .run(run);
    if (changes === 0)
      throw new RollcallError('conflict', `run ${run} holds nothing any more: nothing was discarded`);
    db.prepare('DELETE FROM held WHERE tenant = ? AND run = ?').run(ref.tenantId, run);
    recordAudit(db, { ref, at: by.now, actor: by.actor, action: 'discard', run, detail: '' });
  }).immediate();
}

/**
 * Keeps the first rows of what a preview would add and remove, so that a person can look at them. They are only shown:
 * a preview has nothing to approve. Inside `stage.diff`'s lifetime.
 */
export function keepSample(db: Db, handle: RunHandle, limit: number): void {
  const columns = 'key, object, attribute, kind, flags, spelling';
  const insert = db.prepare(
    `INSERT INTO held (tenant, run, ${columns}, op)
     SELECT ?, ?, ${columns}, op FROM stage.diff WHERE op = ? ORDER BY rowid LIMIT ?`,
  );
  db.transaction(() => {
    for (const op of ['-', '+']) insert.run(handle.ref.tenantId, handle.run, op, limit);
  }).immediate();
}
