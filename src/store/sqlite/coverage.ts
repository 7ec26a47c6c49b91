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

/** A domain that the last complete read spoke for, and what reads of changes have done since. */
export interface Covered {
  /** Addresses named there, changes included. */
  readonly addresses: number;
  /** Addresses that reads of changes have removed or denied since everything was last read. */
  readonly removedSince: number;
}

/** A complete read, begun at `completeAt`, spoke for exactly these domains. */
export function setCoverage(
  db: Db,
  ref: SourceRef,
  domains: readonly CoveredDomain[],
  completeAt: number,
): void {
  narrowCoverage(db, ref, domains);
  const insert = db.prepare(
    `INSERT INTO coverage (tenant, source, domain, complete_at, addresses) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (tenant, source, domain) DO UPDATE SET
       complete_at = excluded.complete_at, addresses = excluded.addresses, pending = 0`,
  );
  for (const { domain, addresses } of domains)
    insert.run(ref.tenantId, ref.sourceId, domain, completeAt, addresses);
}

export function readCoverage(db: Db, ref: SourceRef): Map<string, Covered> {
  const rows = db
    .prepare<[number, number], Covered & { readonly domain: string }>(
      'SELECT domain, addresses, removed_since AS removedSince FROM coverage WHERE tenant = ? AND source = ?',
    )
    .all(ref.tenantId, ref.sourceId);
  return new Map(rows.map(({ domain, ...covered }) => [domain, covered]));
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
 * Changes were applied: so many addresses more or less in each covered domain, and so many removed or denied. `completeAt`:
 * nothing can have been missed up to then, so the list is as fresh as after a whole read; where additions are missing it stays
 * incomplete.
 */
export function adjustCoverage(
  db: Db,
  ref: SourceRef,
  {
    byDomain,
    removed,
    completeAt,
  }: {
    readonly byDomain: ReadonlyMap<string, number>;
    readonly removed: ReadonlyMap<string, number>;
    readonly completeAt: number | undefined;
  },
): void {
  const adjust = db.prepare(
    'UPDATE coverage SET addresses = MAX(0, addresses + ?) WHERE tenant = ? AND source = ? AND domain = ?',
  );
  for (const [domain, by] of byDomain) if (by !== 0) adjust.run(by, ref.tenantId, ref.sourceId, domain);
  const count = db.prepare(
    'UPDATE coverage SET removed_since = removed_since + ? WHERE tenant = ? AND source = ? AND domain = ?',
  );
  for (const [domain, n] of removed) count.run(n, ref.tenantId, ref.sourceId, domain);
  if (completeAt !== undefined)
    db.prepare('UPDATE coverage SET complete_at = ? WHERE tenant = ? AND source = ? AND pending = 0').run(
      completeAt,
      ref.tenantId,
      ref.sourceId,
    );
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
