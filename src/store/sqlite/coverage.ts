/**
 * Coverage: for which domains a source's list is complete, and since when.
 *
 * Freshness belongs to a source and a domain, not to a source alone: a domain that was configured after the last read
 * was not covered by it, and must defer until the next one. All functions work inside the caller's transaction.
 */
import type { SourceRef } from '../store.js';
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
  const insert = db.prepare(
    'INSERT INTO coverage (tenant, source, domain, complete_at, addresses) VALUES (?, ?, ?, ?, ?)',
  );
  for (const { domain, addresses } of domains)
    insert.run(ref.tenantId, ref.sourceId, domain, completeAt, addresses);
}

/** Additions are held: addresses the source names are missing from its claims, so its list cannot make anybody unknown. */
export function setPending(db: Db, ref: SourceRef): void {
  db.prepare('UPDATE coverage SET pending = 1 WHERE tenant = ? AND source = ?').run(
    ref.tenantId,
    ref.sourceId,
  );
}

export function clearPending(db: Db, ref: SourceRef): void {
  db.prepare('UPDATE coverage SET pending = 0 WHERE tenant = ? AND source = ?').run(
    ref.tenantId,
    ref.sourceId,
  );
}
