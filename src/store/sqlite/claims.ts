/** Reading claims and history: what `check`, `show` and the API tell of an address or a run. Changes nothing. */
import type { ChangeRecord, ClaimRecord, ProblemRecord, SourceRef } from '../store.js';
import type { Db } from './open.js';

interface ClaimRow {
  readonly source: string;
  readonly key: string;
  readonly object: string;
  readonly attribute: string;
  readonly kind: string;
  readonly flags: number;
  readonly spelling: string | null;
  readonly since_run: number;
}

/** All claims for a key, over the sources of a tenant: one seek per source. */
export function claimsOf(db: Db, tenant: string, key: string): ClaimRecord[] {
  const rows = db
    .prepare<[string, string], ClaimRow>(
      `SELECT s.name AS source, c.key, c.object, c.attribute, c.kind, c.flags, c.spelling, c.since_run
       FROM tenant t JOIN source s ON s.tenant = t.tenant
       JOIN claim c ON c.tenant = s.tenant AND c.source = s.source AND c.key = ?
       WHERE t.name = ? ORDER BY s.name, c.object`,
    )
    .all(key, tenant);
  return rows.map((row) => ({
    source: row.source,
    key: row.key,
    object: row.object,
    attribute: row.attribute,
    kind: row.kind,
    disabled: (row.flags & 1) !== 0,
    internalOnly: (row.flags & 2) !== 0,
    spelling: row.spelling,
    sinceRun: row.since_run,
  }));
}

/** How many addresses two sources of a tenant both claim. */
export function countShared(db: Db, one: SourceRef, other: SourceRef): number {
  return (
    db
      .prepare<[number, number, number], number>(
        `SELECT COUNT(DISTINCT a.key) FROM claim a WHERE a.tenant = ? AND a.source = ?
           AND EXISTS (SELECT 1 FROM claim b WHERE b.tenant = a.tenant AND b.source = ? AND b.key = a.key)`,
      )
      .pluck()
      .get(one.tenantId, one.sourceId, other.sourceId) ?? 0
  );
}

interface ChangeRow {
  readonly run: number;
  readonly op: '+' | '~' | '-';
  readonly key: string;
  readonly object: string;
  readonly attribute: string;
  readonly kind: string;
  readonly flags: number;
  readonly at: number;
  readonly source: string;
}

const selectChange = `SELECT c.run, c.op, c.key, c.object, c.attribute, c.kind, c.flags, r.ended_at AS at, s.name AS source
  FROM run r JOIN change c ON c.tenant = r.tenant AND c.run = r.run
  JOIN source s ON s.tenant = r.tenant AND s.source = r.source`;

/** Every change of one address, newest first: a seek per run that changed anything. */
export function historyOf(db: Db, tenant: string, key: string, limit: number): ChangeRecord[] {
  return db
    .prepare<[string, string, number], ChangeRow>(
      `${selectChange} JOIN tenant t ON t.tenant = r.tenant
       WHERE t.name = ? AND r.generation IS NOT NULL AND c.key = ? ORDER BY r.run DESC LIMIT ?`,
    )
    .all(tenant, key, limit);
}

/** The first changes of a run, in key order. */
export function changesOf(db: Db, run: number, limit: number): ChangeRecord[] {
  return db
    .prepare<[number, number], ChangeRow>(`${selectChange} WHERE r.run = ? ORDER BY c.key LIMIT ?`)
    .all(run, limit);
}

export interface HeldRecord {
  readonly op: '+' | '-';
  readonly key: string;
  readonly object: string;
}

/** The first held rows of a run, in key order. */
export function heldOf(db: Db, run: number, limit: number): HeldRecord[] {
  return db
    .prepare<[number, number], HeldRecord>(
      `SELECT h.op, h.key, h.object FROM run r JOIN held h ON h.tenant = r.tenant AND h.run = r.run
       WHERE r.run = ? ORDER BY h.key LIMIT ?`,
    )
    .all(run, limit);
}

export function problemsOf(db: Db, run: number, limit: number): ProblemRecord[] {
  return db
    .prepare<[number, number], ProblemRecord>(
      `SELECT p.place AS "where", p.reason FROM run r JOIN problem p ON p.tenant = r.tenant AND p.run = r.run
       WHERE r.run = ? ORDER BY p.n LIMIT ?`,
    )
    .all(run, limit);
}
