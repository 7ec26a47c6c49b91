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
  /** Claims that reads of changes have removed or denied since; kept while more than the limit would go with them. */
  readonly removedSince: number;
  /** When all ids were last compared; null: not since the last read of everything. */
  readonly listedAt: number | null;
}

const none: SourceState = {
  cursor: null,
  madeFrom: '',
  fullAt: null,
  ownCount: null,
  removedSince: 0,
  listedAt: null,
};

export function readSourceState(db: Db, ref: SourceRef): SourceState {
  const row = db
    .prepare<[number, number], SourceState>(
      `SELECT cursor, made_from AS madeFrom, full_at AS fullAt, own_count AS ownCount, removed_since AS removedSince, listed_at AS listedAt
       FROM source_state WHERE tenant = ? AND source = ?`,
    )
    .get(ref.tenantId, ref.sourceId);
  return row ?? none;
}

export function writeSourceState(db: Db, ref: SourceRef, state: SourceState): void {
  db.prepare(
    `INSERT OR REPLACE INTO source_state
       (tenant, source, cursor, made_from, full_at, own_count, removed_since, listed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    ref.tenantId,
    ref.sourceId,
    state.cursor,
    state.madeFrom,
    state.fullAt,
    state.ownCount,
    state.removedSince,
    state.listedAt,
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

/** Everything was compared, or a person has looked at what goes: reads of changes count anew, in each domain too. */
export function forgetRemoved(db: Db, ref: SourceRef): void {
  for (const table of ['source_state', 'coverage'])
    db.prepare(`UPDATE ${table} SET removed_since = 0 WHERE tenant = ? AND source = ?`).run(
      ref.tenantId,
      ref.sourceId,
    );
}

/** After a read of changes: the staged objects without an address of ours are known to have none. */
export function keepUnclaimed(db: Db, ref: SourceRef, { listed }: { readonly listed: boolean }): void {
  const insert = (table: 'touched' | 'listed'): void => {
    db.prepare(
      `INSERT OR IGNORE INTO unclaimed SELECT ?, ?, s.object FROM stage.${table} s
       WHERE NOT EXISTS (SELECT 1 FROM claim c WHERE c.tenant = ? AND c.source = ? AND c.object = s.object)`,
    ).run(ref.tenantId, ref.sourceId, ref.tenantId, ref.sourceId);
  };
  insert('touched');
  if (!listed) return;
  insert('listed');
  db.prepare(
    `DELETE FROM unclaimed WHERE tenant = ? AND source = ? AND object NOT IN (SELECT object FROM stage.listed)`,
  ).run(ref.tenantId, ref.sourceId);
}

/** After a read of everything the next listing begins anew. */
export function forgetUnclaimed(db: Db, ref: SourceRef): void {
  db.prepare('DELETE FROM unclaimed WHERE tenant = ? AND source = ?').run(ref.tenantId, ref.sourceId);
}
