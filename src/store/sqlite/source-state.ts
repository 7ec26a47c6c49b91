/**
 * What is kept of a source between its runs: the cursor of its changes, and what the last whole read found.
 *
 * Written in the transaction of the claims it belongs to: a cursor that is ahead of the claims would lose people. All functions
 * work inside the caller's transaction.
 */
import type { SourceRef } from '../store.js';
import type { Db } from './open.js';

export interface SourceState {
  /** Where the changes begin that the claims do not hold yet; null: everything must be read. */
  readonly cursor: string | null;
  /** Tells the configuration under which the cursor was made. */
  readonly madeFrom: string;
  /** When the last complete read of everything began. Milliseconds since the epoch. */
  readonly fullAt: number | null;
  /** How many objects the directory said it held then. */
  readonly ownCount: number | null;
  /** Claims that reads of changes have removed or denied since. */
  readonly removedSince: number;
  /** When all ids were last compared. */
  readonly listedAt: number | null;
  /** How many of those ids had no claim; null: not compared since the last read of everything. */
  readonly unclaimed: number | null;
}

const none: SourceState = {
  cursor: null,
  madeFrom: '',
  fullAt: null,
  ownCount: null,
  removedSince: 0,
  listedAt: null,
  unclaimed: null,
};

export function readSourceState(db: Db, ref: SourceRef): SourceState {
  const row = db
    .prepare<[number, number], SourceState>(
      `SELECT cursor, made_from AS madeFrom, full_at AS fullAt, own_count AS ownCount, removed_since AS removedSince,
         listed_at AS listedAt, unclaimed FROM source_state WHERE tenant = ? AND source = ?`,
    )
    .get(ref.tenantId, ref.sourceId);
  return row ?? none;
}

export function writeSourceState(db: Db, ref: SourceRef, state: SourceState): void {
  db.prepare(
    `INSERT OR REPLACE INTO source_state
       (tenant, source, cursor, made_from, full_at, own_count, removed_since, listed_at, unclaimed)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    ref.tenantId,
    ref.sourceId,
    state.cursor,
    state.madeFrom,
    state.fullAt,
    state.ownCount,
    state.removedSince,
    state.listedAt,
    state.unclaimed,
  );
}

/** The claims are no longer what the cursor took them for: the next run reads everything. */
export function dropCursor(db: Db, ref: SourceRef): void {
  db.prepare('UPDATE source_state SET cursor = NULL WHERE tenant = ? AND source = ?').run(
    ref.tenantId,
    ref.sourceId,
  );
}

/** The same for every source. */
export function dropAllCursors(db: Db): void {
  db.prepare('UPDATE source_state SET cursor = NULL').run();
}
