/**
 * Coverage: for which domains a source's list is complete, and since when.
 *
 * Freshness belongs to a source and a domain, not to a source alone: a domain that was configured after the last read
 * was not covered by it, and must defer until the next one. All functions work inside the caller's transaction.
 */
import type { SourceRef } from '../store.js';
import { bumpRevision } from './meta.js';
import { dropAllCursors } from './source-state.js';
import type { Db } from './open.js';

/** A domain (A-label, or `*.` and an A-label) that a read spoke for, and how many addresses it named there. */
export interface CoveredDomain {
  readonly domain: string;
  readonly addresses: number;
}

/** A complete read, begun at `completeAt`, spoke for exactly these domains. */
export function setCoverage(
  db: Db,
  ref: SourceRef,
  domains: readonly CoveredDomain[],
  completeAt: number,
): void {
  db.prepare('DELETE FROM coverage WHERE tenant = ? AND source = ?').run(ref.tenantId, ref.sourceId);
  bumpRevision(db);
  const insert = db.prepare(
    'INSERT INTO coverage (tenant, source, domain, complete_at, addresses) VALUES (?, ?, ?, ?, ?)',
  );
  for (const { domain, addresses } of domains)
    insert.run(ref.tenantId, ref.sourceId, domain, completeAt, addresses);
}

/** How many addresses the last complete read named, by covered domain. */
export function coveredAddresses(db: Db, ref: SourceRef): Map<string, number> {
  const rows = db
    .prepare<[number, number], CoveredDomain>(
      'SELECT domain, addresses FROM coverage WHERE tenant = ? AND source = ?',
    )
    .all(ref.tenantId, ref.sourceId);
  return new Map(rows.map(({ domain, addresses }) => [domain, addresses]));
}

/** A complete read did not speak for the other domains any more, whatever became of its additions. */
export function narrowCoverage(db: Db, ref: SourceRef, domains: readonly CoveredDomain[]): void {
  db.prepare(
    'DELETE FROM coverage WHERE tenant = ? AND source = ? AND domain NOT IN (SELECT value FROM json_each(?))',
  ).run(ref.tenantId, ref.sourceId, JSON.stringify(domains.map(({ domain }) => domain)));
  bumpRevision(db);
}

/**
 * Addresses that the source named are missing from its claims because of `run`, so its list cannot make anybody unknown:
 * until a complete read has nothing held, or that very hold is approved.
 */
export function setPending(db: Db, ref: SourceRef, run: number): void {
  db.prepare('UPDATE coverage SET pending = ? WHERE tenant = ? AND source = ?').run(
    run,
    ref.tenantId,
    ref.sourceId,
  );
  bumpRevision(db);
}

/** What `run` had held is applied. Changes nothing when a later run holds something else. */
export function clearPending(db: Db, ref: SourceRef, run: number): void {
  db.prepare('UPDATE coverage SET pending = 0 WHERE tenant = ? AND source = ? AND pending = ?').run(
    ref.tenantId,
    ref.sourceId,
    run,
  );
  bumpRevision(db);
}

/**
 * Changes were applied: so many addresses more or less in each covered domain. `completeAt`: nothing can have been missed up
 * to then, so the list is as fresh as after a whole read; where additions are missing it stays incomplete.
 */
export function adjustCoverage(
  db: Db,
  ref: SourceRef,
  byDomain: ReadonlyMap<string, number>,
  completeAt: number | undefined,
): void {
  const adjust = db.prepare(
    'UPDATE coverage SET addresses = MAX(0, addresses + ?) WHERE tenant = ? AND source = ? AND domain = ?',
  );
  for (const [domain, by] of byDomain) if (by !== 0) adjust.run(by, ref.tenantId, ref.sourceId, domain);
  if (completeAt !== undefined)
    db.prepare(
      'UPDATE coverage SET complete_at = MAX(complete_at, ?) WHERE tenant = ? AND source = ? AND pending = 0',
    ).run(completeAt, ref.tenantId, ref.sourceId);
  if (completeAt !== undefined || [...byDomain.values()].some((by) => by !== 0)) bumpRevision(db);
}

/** No list of this directory makes anybody unknown until it is read again, whole. A transaction of its own. */
export function setAllPending(db: Db): void {
  db.transaction(() => {
    dropAllCursors(db);
    db.prepare('UPDATE coverage SET pending = -1').run();
    bumpRevision(db);
  }).immediate();
}
