/**
 * Builds lookup.db from nothing, beside the old one, and puts it in its place.
 *
 * Promises: readers see the old file until the new one is whole; the new file never meets the old one's WAL. The caller
 * holds the publish lock, and no writer has the old file open.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { damagedMarkerPath, lookupSchema, lookupVersion, slotFlags } from './schema.js';
import { recipientOfSlot, recipientsOfSlots, slotOfClaims } from './slots.js';

const copyTables = `
  INSERT INTO main.tenant SELECT tenant, name FROM directory.tenant;
  INSERT INTO main.source SELECT source, tenant, name FROM directory.source;
  INSERT INTO main.coverage SELECT tenant, source, domain, complete_at, addresses, pending FROM directory.coverage;
  INSERT INTO main.meta SELECT name, CAST(value AS INTEGER) FROM directory.meta;
`;

/** A tenant with one source: its claims lie in key order already, so the rows are appended without a sort. */
const copySingle = `
  INSERT INTO main.recipient
  SELECT tenant, key, ${recipientOfSlot} FROM (
    SELECT c.tenant, c.key, c.source, ${slotOfClaims}
    FROM directory.claim c WHERE c.tenant = ? AND c.source = ? GROUP BY c.tenant, c.source, c.key)`;

const copyRemoved = `
  INSERT OR IGNORE INTO main.recipient
  SELECT r.tenant, r.key, NULL, json_array(json_array(r.source, ${slotFlags.removed}, r.removed_at, NULL))
  FROM directory.removal r WHERE r.tenant = ? AND r.source = ? ORDER BY r.key`;

const copyMany = `
  INSERT INTO main.recipient
  WITH slot AS (
    SELECT c.tenant, c.key, c.source, ${slotOfClaims}
    FROM directory.claim c WHERE c.tenant = ? GROUP BY c.tenant, c.source, c.key
    UNION ALL
    SELECT r.tenant, r.key, r.source, ${slotFlags.removed}, r.removed_at, NULL FROM directory.removal r
    WHERE r.tenant = ? AND NOT EXISTS (
      SELECT 1 FROM directory.claim c WHERE c.tenant = r.tenant AND c.source = r.source AND c.key = r.key)
  ) ${recipientsOfSlots}`;

interface TenantRow {
  readonly tenant: number;
  readonly sources: number;
  readonly source: number;
}

function copyRecipients(db: Database.Database): void {
  const tenants = db
    .prepare<[], TenantRow>(
      'SELECT tenant, COUNT(*) AS sources, MIN(source) AS source FROM directory.source GROUP BY tenant',
    )
    .all();
  for (const { tenant, sources, source } of tenants) {
    if (sources > 1) {
      db.prepare(copyMany).run(tenant, tenant);
    } else {
      db.prepare(copySingle).run(tenant, source);
      db.prepare(copyRemoved).run(tenant, source);
    }
  }
}

function fill(path: string, directoryFile: string): void {
  const db = new Database(path);
  try {
    // a crash leaves a file nobody reads; it is removed before the next attempt
    db.exec(
      'PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536; PRAGMA threads = 1;',
    );
    db.exec(lookupSchema);
    db.prepare('ATTACH ? AS directory').run(directoryFile);
    db.transaction(() => {
      copyRecipients(db);
      db.exec(copyTables);
    })();
    db.exec('DETACH directory');
    db.pragma(`user_version = ${lookupVersion}`);
    db.pragma('journal_mode = WAL');
  } finally {
    db.close();
  }
}

function syncToDisk(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Replaces lookup.db by one built from directory.db. */
export function rebuildLookup(lookupFile: string, directoryFile: string): void {
  const building = `${lookupFile}.building`;
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(building + suffix, { force: true });
  fill(building, directoryFile);
  syncToDisk(building);
  // the old file's WAL must be gone before the new file has its name, or SQLite would replay it into the new one
  for (const suffix of ['-wal', '-shm']) rmSync(lookupFile + suffix, { force: true });
  renameSync(building, lookupFile);
  syncToDisk(dirname(lookupFile));
  rmSync(damagedMarkerPath(lookupFile), { force: true });
}
