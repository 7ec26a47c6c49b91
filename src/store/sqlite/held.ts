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
