/** Tenants and sources: names to the small numbers that keys are made of. Numbers are never reused. */
import { RollcallError } from '../../errors.js';
import type { SourceRef } from '../store.js';
import { bumpRevision } from './meta.js';
import type { Db } from './open.js';

/** The number of a tenant, given out when it is first seen. Inside the caller's transaction. */
export function tenantIdOf(db: Db, name: string): number {
  db.prepare(
    'INSERT INTO tenant (tenant, name) SELECT COALESCE(MAX(tenant), 0) + 1, ? FROM tenant WHERE true ON CONFLICT (name) DO NOTHING',
  ).run(name);
  return db.prepare<[string], number>('SELECT tenant FROM tenant WHERE name = ?').pluck().get(name) ?? 0;
}

/** Makes sure that a tenant and its source are in the catalog, and returns their ids. */
export function registerSource(db: Db, tenant: string, name: string, kind: string): SourceRef {
  const known = findSource(db, tenant, name);
  if (known !== undefined) return known;
  return db
    .transaction((): SourceRef => {
      const id = tenantIdOf(db, tenant);
      db.prepare(
        `INSERT INTO source (tenant, source, name, kind)
         SELECT ?, (SELECT COALESCE(MAX(source), 0) + 1 FROM source), ?, ? WHERE true
         ON CONFLICT (tenant, name) DO NOTHING`,
      ).run(id, name, kind);
      bumpRevision(db);
      const ref = findSource(db, tenant, name);
      if (ref === undefined) throw new RollcallError('internal', `source ${name} was not registered`);
      return ref;
    })
    .immediate();
}

interface SourceRow {
  readonly tenant: number;
  readonly source: number;
}

export function findSource(db: Db, tenant: string, name: string): SourceRef | undefined {
  const row = db
    .prepare<[string, string], SourceRow>(
      'SELECT s.tenant, s.source FROM source s JOIN tenant t ON t.tenant = s.tenant WHERE t.name = ? AND s.name = ?',
    )
    .get(tenant, name);
  return row && { tenantId: row.tenant, sourceId: row.source, tenant, name };
}
