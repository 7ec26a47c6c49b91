/**
 * Publish: brings lookup.db to the generation of directory.db, by the changes since its own, or by building it anew.
 *
 * Promises: one transaction holds the rows, the coverage and the generation, so an edge sees one generation or the next;
 * its write lock is held only while prepared rows are copied. A missing, damaged, older or newer-than-the-store file is
 * built anew. One publisher at a time, in whatever process: a lock file that the kernel frees when its holder dies.
 */
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { rebuildLookup } from './rebuild.js';
import { takeLockFile } from '../store/sqlite/lock-file.js';
import type { Mark } from '../store/sqlite/meta.js';
import { isDamage, readLookupMark } from './mark.js';
import { slotFlags } from './schema.js';
import { recipientsOfSlots, slotOfClaims } from './slots.js';

export interface Published {
  readonly generation: number;
  readonly how: 'rebuilt' | 'changes' | 'coverage only';
  /** Milliseconds for which lookup.db was locked against other writers; readers never wait. */
  readonly lockedMs: number;
}

export interface PublishOptions {
  readonly directoryFile: string;
  readonly lookupFile: string;
  /** Build anew even if the file looks well. */
  readonly force?: boolean;
}

export function publish(options: PublishOptions): Published {
  const unlock = takeLockFile(join(dirname(options.lookupFile), 'publish.lock'), {
    timeoutMs: 120_000,
    busy: 'another process has been publishing the lists for two minutes',
  });
  try {
    const from = options.force === true ? 'damaged' : readLookupMark(options.lookupFile);
    // nothing is in an empty snapshot that could be kept, and building one is faster than filling it by changes
    if (typeof from === 'string' || from.generation === 0) return rebuild(options);
    return publishChanges(options, from) ?? rebuild(options);
  } finally {
    unlock();
  }
}

function rebuild(options: PublishOptions): Published {
  rebuildLookup(options.lookupFile, options.directoryFile);
  const mark = readLookupMark(options.lookupFile);
  return { generation: typeof mark === 'string' ? -1 : mark.generation, how: 'rebuilt', lockedMs: 0 };
}

const collectChanged = `
  CREATE TEMP TABLE changed (tenant INTEGER NOT NULL, key TEXT NOT NULL, PRIMARY KEY (tenant, key)) WITHOUT ROWID;
  INSERT OR IGNORE INTO changed
  SELECT c.tenant, c.key FROM directory.run r JOIN directory.change c ON c.tenant = r.tenant AND c.run = r.run
  WHERE r.generation > CAST((SELECT value FROM temp.since) AS INTEGER);`;

const prepareRows = `
  CREATE TEMP TABLE fresh AS
  WITH slot AS (
    SELECT k.tenant AS tenant, k.key AS key, s.source AS source, ${slotOfClaims}
    FROM changed k JOIN directory.source s ON s.tenant = k.tenant
    CROSS JOIN directory.claim c ON c.tenant = s.tenant AND c.source = s.source AND c.key = k.key
    GROUP BY k.tenant, k.key, s.source
    UNION ALL
    SELECT r.tenant, r.key, r.source, ${slotFlags.removed}, r.removed_at, NULL
    FROM changed k JOIN directory.source s ON s.tenant = k.tenant
    CROSS JOIN directory.removal r ON r.tenant = s.tenant AND r.source = s.source AND r.key = k.key
    WHERE NOT EXISTS (
      SELECT 1 FROM directory.claim c WHERE c.tenant = r.tenant AND c.source = r.source AND c.key = r.key)
  ) ${recipientsOfSlots};
  CREATE TEMP TABLE gone AS
  SELECT k.tenant, k.key FROM changed k LEFT JOIN fresh f ON f.tenant = k.tenant AND f.key = k.key WHERE f.key IS NULL;`;

const copyRows = `
  DELETE FROM main.recipient WHERE (tenant, key) IN (SELECT tenant, key FROM temp.gone);
  INSERT OR REPLACE INTO main.recipient SELECT * FROM temp.fresh;`;

/** Only rows that differ are written: most runs change nothing but one source's `complete_at`. */
const copyCoverage = `
  INSERT OR REPLACE INTO main.tenant SELECT tenant, name FROM directory.tenant EXCEPT SELECT tenant, name FROM main.tenant;
  INSERT OR REPLACE INTO main.source
    SELECT source, tenant, name FROM directory.source EXCEPT SELECT source, tenant, name FROM main.source;
  DELETE FROM main.coverage WHERE (tenant, source, domain) NOT IN (SELECT tenant, source, domain FROM directory.coverage);
  INSERT OR REPLACE INTO main.coverage
    SELECT tenant, source, domain, complete_at, addresses, pending FROM directory.coverage
    EXCEPT SELECT tenant, source, domain, complete_at, addresses, pending FROM main.coverage;
  INSERT OR REPLACE INTO main.meta SELECT name, CAST(value AS INTEGER) FROM directory.meta;`;

/** Returns undefined when the file cannot be brought up to date by changes: then it is built anew. */
function publishChanges(options: PublishOptions, from: Mark): Published | undefined {
  let db: Database.Database | undefined;
  try {
    db = new Database(options.lookupFile, { timeout: 10_000 });
    // a lost snapshot is built anew, so it need not survive a power cut to the last commit
    db.exec('PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32768;');
    db.prepare('ATTACH ? AS directory').run(options.directoryFile);
    return copyFrom(db, from);
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  } finally {
    db?.close();
  }
}

function copyFrom(db: Database.Database, from: Mark): Published | undefined {
  // one snapshot of the directory for everything that is read: rows, coverage and mark belong together
  db.exec('BEGIN');
  try {
    const to = directoryMark(db);
    if (!isSameHistory(db, from, to)) return undefined;
    if (to.generation > from.generation) {
      db.exec('CREATE TEMP TABLE since (value INTEGER)');
      db.prepare('INSERT INTO temp.since VALUES (?)').run(from.generation);
      db.exec(collectChanged);
      db.exec(prepareRows);
    }
    const began = performance.now();
    if (to.generation > from.generation) db.exec(copyRows);
    if (to.revision !== from.revision) db.exec(copyCoverage);
    db.exec('COMMIT');
    const how = to.generation > from.generation ? 'changes' : 'coverage only';
    return { generation: to.generation, how, lockedMs: performance.now() - began };
  } finally {
    if (db.inTransaction) db.exec('ROLLBACK');
  }
}

function directoryMark(db: Database.Database): Mark {
  const rows = db
    .prepare<[], { name: string; value: string }>('SELECT name, value FROM directory.meta')
    .all();
  const value = (name: string): number => Number(rows.find((row) => row.name === name)?.value ?? -1);
  return { generation: value('generation'), stamp: value('stamp'), revision: value('revision') };
}

/**
 * Whether the snapshot's generation is one of this directory (a restored backup may count the same numbers again), and
 * every generation since still has its changes (old history is pruned).
 */
function isSameHistory(db: Database.Database, from: Mark, to: Mark): boolean {
  if (from.generation === to.generation) return from.stamp === to.stamp;
  const stamp = db
    .prepare<[number], number | null>('SELECT stamp FROM directory.run WHERE generation = ?')
    .pluck()
    .get(from.generation);
  const since = db
    .prepare<[number], number>('SELECT COUNT(*) FROM directory.run WHERE generation > ?')
    .pluck()
    .get(from.generation);
  return stamp === from.stamp && since === to.generation - from.generation;
}
