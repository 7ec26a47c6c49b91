/** The file of the cache: opened, begun anew when it is damaged, read by those who do not write it. */
import { existsSync, rmSync, statSync } from 'node:fs';
import Database, { type Database as Connection, type Statement } from 'better-sqlite3';
import { messageOf } from '../errors.js';
import type { Logger } from '../telemetry/log.js';

export type { Connection };

const version = 2;
/** `kept` counts the rows of `entry`, so that nobody has to. */
const schema = `
  CREATE TABLE entry (
    scope TEXT NOT NULL, address TEXT NOT NULL, domain TEXT NOT NULL, known INTEGER NOT NULL, at INTEGER NOT NULL,
    known_until INTEGER, PRIMARY KEY (scope, address)
  ) WITHOUT ROWID;
  CREATE INDEX entry_by_worth ON entry (scope, known, known_until IS NOT NULL, at);
  CREATE INDEX entry_by_age ON entry (at);
  CREATE INDEX entry_of_domain ON entry (scope, domain, known, at);
  CREATE TABLE kept (scope TEXT NOT NULL, known INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (scope, known))
    WITHOUT ROWID;
  CREATE TRIGGER entry_comes AFTER INSERT ON entry BEGIN
    INSERT INTO kept VALUES (new.scope, new.known, 1) ON CONFLICT DO UPDATE SET count = count + 1;
  END;
  CREATE TRIGGER entry_turns AFTER UPDATE OF known ON entry WHEN old.known <> new.known BEGIN
    UPDATE kept SET count = count - 1 WHERE scope = old.scope AND known = old.known;
    INSERT INTO kept VALUES (new.scope, new.known, 1) ON CONFLICT DO UPDATE SET count = count + 1;
  END;
  CREATE TRIGGER entry_goes AFTER DELETE ON entry BEGIN
    UPDATE kept SET count = count - 1 WHERE scope = old.scope AND known = old.known;
  END;
  CREATE TABLE standing (
    scope TEXT NOT NULL, host TEXT NOT NULL, domain TEXT NOT NULL, blind INTEGER NOT NULL, tried_at INTEGER NOT NULL,
    PRIMARY KEY (scope, host, domain)
  ) WITHOUT ROWID;
  CREATE TABLE probe_count (scope TEXT NOT NULL, outcome TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (scope, outcome))
    WITHOUT ROWID;
`;

/** The main thread of an edge waits for nobody. */
const busyTimeoutMs = 50;
/** Octets; to look a larger file over would take longer than a start may. What is damaged there shows when it is read. */
const maxChecked = 32 * 1024 * 1024;

export interface CacheFileOptions {
  readonly log: Logger;
}

const statements = new WeakMap<Connection, Map<string, Statement>>();

/** Preparing costs more than reading one row. */
export function statement<Row = unknown>(db: Connection, sql: string): Statement<unknown[], Row> {
  let known = statements.get(db);
  if (known === undefined) statements.set(db, (known = new Map<string, Statement>()));
  let found = known.get(sql);
  if (found === undefined) known.set(sql, (found = db.prepare(sql)));
  return found as Statement<unknown[], Row>;
}

export function readOnly<T>(path: string, work: (db: Connection) => T): T | undefined {
  if (!existsSync(path)) return undefined;
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
  try {
    return Number(db.pragma('user_version', { simple: true })) === version ? work(db) : undefined;
  } finally {
    db.close();
  }
}

export function openForWriting(path: string, options: CacheFileOptions): Connection {
  try {
    return openSound(path);
  } catch (error) {
    if (!isDamage(error)) throw error;
    options.log.warn({ file: path, err: messageOf(error) }, 'answers of mail servers damaged: begun anew');
    removeFile(path);
    return openSound(path);
  }
}

class OtherVersion extends Error {}

function openSound(path: string): Connection {
  const db = new Database(path, { timeout: busyTimeoutMs });
  try {
    db.pragma('journal_mode = WAL');
    // Nothing here is worth a wait for the disk; what a power cut spoils is begun anew.
    db.pragma('synchronous = OFF');
    db.pragma('journal_size_limit = 16777216');
    const found = Number(db.pragma('user_version', { simple: true }));
    if (found !== 0 && found !== version) throw new OtherVersion(`version ${found}`);
    if (found === 0)
      db.transaction(() => {
        db.exec(schema);
        db.pragma(`user_version = ${version}`);
      })();
    else if (statSync(path).size <= maxChecked && db.pragma('quick_check(1)', { simple: true }) !== 'ok')
      throw new OtherVersion('damaged');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

export function isDamage(error: unknown): boolean {
  if (error instanceof OtherVersion) return true;
  if (!(error instanceof Database.SqliteError)) return false;
  return (
    /^SQLITE_(CORRUPT|NOTADB|FORMAT)/.test(error.code) ||
    /no such (table|column)|already exists/.test(error.message)
  );
}

export function removeFile(path: string): void {
  // -wal and -shm belong to the file that is gone, and would be taken for the new one's
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
}
