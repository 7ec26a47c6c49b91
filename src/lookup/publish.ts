/**
 * Publish: brings lookup.db to the generation of directory.db, by the changes since its own, or by building it anew.
 *
 * Promises: one transaction holds the rows, the coverage and the generation, so an edge sees one generation or the next;
 * its write lock is held only while prepared rows are copied. A missing, damaged, older or newer-than-the-store file is
 * built anew. One publisher at a time, in whatever process: a lock file that the kernel frees when its holder dies.
 */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { rebuildLookup } from './rebuild.js';
import { damagedMarkerPath, lookupVersion, slotFlags } from './schema.js';
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
  const unlock = lock(join(dirname(options.lookupFile), 'publish.lock'));
  try {
    const from = options.force === true ? undefined : usableGeneration(options);
    // nothing is in an empty snapshot that could be kept, and building one is faster than filling it by changes
    if (from === undefined || (from === 0 && directoryGeneration(options) > 0)) return rebuild(options);
    return publishChanges(options, from) ?? rebuild(options);
  } finally {
    unlock();
  }
}

function rebuild(options: PublishOptions): Published {
  rebuildLookup(options.lookupFile, options.directoryFile);
  const db = new Database(options.lookupFile, { readonly: true });
  try {
    return { generation: generationIn(db), how: 'rebuilt', lockedMs: 0 };
  } finally {
    db.close();
  }
}

/** An SQLite file used only for its lock: it is freed by the kernel when the process ends, however it ends. */
function lock(path: string): () => void {
  const db = new Database(path, { timeout: 120_000 });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    throw error;
  }
  return () => {
    db.exec('ROLLBACK');
    db.close();
  };
}

function generationIn(db: Database.Database): number {
  return db.prepare<[], number>("SELECT value FROM meta WHERE name = 'generation'").pluck().get() ?? -1;
}

function directoryGeneration({ directoryFile }: PublishOptions): number {
  const db = new Database(directoryFile, { readonly: true });
  try {
    return Number(db.prepare("SELECT value FROM meta WHERE name = 'generation'").pluck().get());
  } finally {
    db.close();
  }
}

/** The generation of the file in place; undefined when it must be built anew. */
function usableGeneration({ lookupFile }: PublishOptions): number | undefined {
  if (!existsSync(lookupFile) || statSync(lookupFile).size === 0) return undefined;
  if (existsSync(damagedMarkerPath(lookupFile))) return undefined;
  try {
    const db = new Database(lookupFile, { readonly: true });
    try {
      if (db.pragma('user_version', { simple: true }) !== lookupVersion) return undefined;
      return generationIn(db);
    } finally {
      db.close();
    }
  } catch {
    return undefined; // not a database, or a damaged one
  }
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
    EXCEPT SELECT tenant, source, domain, complete_at, addresses, pending FROM main.coverage;`;

/** Returns undefined when the file is damaged or ahead of the store (a restored backup): then it is built anew. */
function publishChanges(options: PublishOptions, from: number): Published | undefined {
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

function copyFrom(db: Database.Database, from: number): Published | undefined {
  // one snapshot of the directory for everything that is read: rows, coverage and generation belong together
  db.exec('BEGIN');
  try {
    const to = Number(db.prepare("SELECT value FROM directory.meta WHERE name = 'generation'").pluck().get());
    if (from > to || from < 0 || !hasHistory(db, from, to)) return undefined;
    if (to > from) {
      db.exec('CREATE TEMP TABLE since (value INTEGER)');
      db.prepare('INSERT INTO temp.since VALUES (?)').run(from);
      db.exec(collectChanged);
      db.exec(prepareRows);
    }
    const began = performance.now();
    if (to > from) db.exec(copyRows);
    db.exec(copyCoverage);
    db.prepare("UPDATE main.meta SET value = ? WHERE name = 'generation' AND value <> ?").run(to, to);
    db.exec('COMMIT');
    return {
      generation: to,
      how: to > from ? 'changes' : 'coverage only',
      lockedMs: performance.now() - began,
    };
  } finally {
    if (db.inTransaction) db.exec('ROLLBACK');
  }
}

/** Whether every generation since `from` still has its run; old history is pruned. */
function hasHistory(db: Database.Database, from: number, to: number): boolean {
  const n = db
    .prepare<[number], number>('SELECT COUNT(*) FROM directory.run WHERE generation > ?')
    .pluck()
    .get(from);
  return n === to - from;
}

function isDamage(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && /^SQLITE_(CORRUPT|NOTADB)/.test(code);
}
