/** The record of runs, as it is read: one run, pages of them, and when a source was last synced. */
import type { Resolution, RunKind, RunMode, RunRecord, RunState, SourceRef } from '../store.js';
import type { Db } from './open.js';

interface RunRow {
  readonly run: number;
  readonly tenant: string;
  readonly source: string;
  readonly kind: RunKind;
  readonly mode: RunMode;
  readonly parent: number | null;
  readonly actor: string;
  readonly state: RunState;
  readonly resolution: Resolution | null;
  readonly complete: number;
  readonly plan_hash: string | null;
  readonly started_at: number;
  readonly ended_at: number | null;
  readonly generation: number | null;
  readonly n_read: number;
  readonly n_added: number;
  readonly n_changed: number;
  readonly n_removed: number;
  readonly n_held: number;
  readonly n_skipped: number;
  readonly reasons: string;
  readonly notes: string;
  readonly description: string;
}

const selectRun = `SELECT r.*, t.name AS tenant, s.name AS source FROM run r
  JOIN tenant t ON t.tenant = r.tenant JOIN source s ON s.tenant = r.tenant AND s.source = r.source`;

function toRecord(row: RunRow): RunRecord {
  return {
    run: row.run,
    tenant: row.tenant,
    source: row.source,
    kind: row.kind,
    mode: row.mode,
    parent: row.parent,
    actor: row.actor,
    state: row.state,
    resolution: row.resolution,
    complete: row.complete === 1,
    planHash: row.plan_hash,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    generation: row.generation,
    counts: {
      read: row.n_read,
      added: row.n_added,
      changed: row.n_changed,
      removed: row.n_removed,
      held: row.n_held,
      skipped: row.n_skipped,
    },
    reasons: JSON.parse(row.reasons) as string[],
    notes: JSON.parse(row.notes) as string[],
    description: row.description,
  };
}

/** One run, or undefined. `tenant` narrows: a token of one tenant never sees another's runs. */
export function getRun(db: Db, run: number, tenant?: string): RunRecord | undefined {
  const row = db.prepare<[number], RunRow>(`${selectRun} WHERE r.run = ?`).get(run);
  return row === undefined || (tenant !== undefined && row.tenant !== tenant) ? undefined : toRecord(row);
}

export interface RunFilter {
  readonly tenant?: string | undefined;
  readonly source?: string | undefined;
  readonly limit: number;
  /** Only runs with a lower number: the page before. */
  readonly before?: number | undefined;
  /** Only runs that say how the list is: no previews, and no claims of single entries. */
  readonly ofTheList?: boolean;
}

/** Newest first. */
export function listRuns(db: Db, filter: RunFilter): RunRecord[] {
  const rows = db
    .prepare<[string | null, string | null, string | null, string | null, number, number], RunRow>(
      `${selectRun} WHERE (? IS NULL OR t.name = ?) AND (? IS NULL OR s.name = ?) AND r.run < ?
       ${filter.ofTheList === true ? "AND r.kind NOT IN ('preview', 'claim')" : ''} ORDER BY r.run DESC LIMIT ?`,
    )
    .all(
      filter.tenant ?? null,
      filter.tenant ?? null,
      filter.source ?? null,
      filter.source ?? null,
      filter.before ?? Number.MAX_SAFE_INTEGER,
      filter.limit,
    );
  return rows.map(toRecord);
}

/** When the newest sync of a source began that came to an end by itself; for catching up after a missed time. */
export function lastSyncStart(db: Db, ref: SourceRef): number | undefined {
  return (
    db
      .prepare<[number, number], number | null>(
        `SELECT MAX(started_at) FROM run WHERE tenant = ? AND source = ? AND kind = 'sync' AND state NOT IN ('running', 'interrupted', 'planned')`,
      )
      .pluck()
      .get(ref.tenantId, ref.sourceId) ?? undefined
  );
}

export interface SyncEnd {
  readonly run: number;
  readonly state: RunState;
  readonly startedAt: number;
  /** 1 when everything was read, and it was not proved that it was all. */
  readonly isShort: 0 | 1;
}

/** How the newest sync of a source ended that is over, previews left out. */
export function lastSyncEnd(db: Db, ref: SourceRef): SyncEnd | undefined {
  return db
    .prepare<[number, number], SyncEnd>(
      `SELECT run, state, started_at AS startedAt, mode = 'full' AND NOT complete AS isShort FROM run WHERE tenant = ? AND source = ? AND kind = 'sync' AND state NOT IN ('running', 'planned')
       ORDER BY run DESC LIMIT 1`,
    )
    .get(ref.tenantId, ref.sourceId);
}
