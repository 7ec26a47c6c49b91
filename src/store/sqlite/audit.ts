/** The audit trail: who approved, discarded, rolled back or handed out a token, and when. Rows are only ever added. */
import type { SourceRef } from '../store.js';
import type { Db } from './open.js';

export interface AuditEvent {
  readonly ref: Pick<SourceRef, 'tenantId'>;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly run?: number | undefined;
  readonly detail: string;
}

/** Inside the caller's transaction. */
export function recordAudit(db: Db, event: AuditEvent): void {
  db.prepare(
    'INSERT INTO audit (tenant, n, at, actor, action, run, detail) VALUES (?, (SELECT COALESCE(MAX(n), 0) + 1 FROM audit), ?, ?, ?, ?, ?)',
  ).run(event.ref.tenantId, event.at, event.actor, event.action, event.run ?? null, event.detail);
}
