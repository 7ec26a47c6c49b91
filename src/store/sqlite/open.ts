/**
 * Opens directory.db.
 *
 * Promises: WAL, so that readers never wait for a writer; `synchronous=FULL`, so that a committed run survives a power
 * cut; the newest schema. Writers wait up to a minute for each other and so must not be opened on the main thread of
 * a process that answers the network.
 */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { asRollcallError, messageOf, RollcallError } from '../../errors.js';
import { migrate, migrationsFolder, schemaVersion } from '../migrate.js';

export type Db = Database.Database;

/** Longer than a big list takes to be applied, or its index to be built. */
const busyTimeoutMs = 60_000;

export function directoryPath(dataDir: string): string {
  return join(dataDir, 'directory.db');
}

/** Opens for writing; creates the folder and the file when they are missing. */
export function openDirectory(path: string): Db {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
    const db = new Database(path, { timeout: busyTimeoutMs });
    try {
      db.pragma('journal_mode = WAL');
      db.pragma('synchronous = FULL');
      db.pragma('cache_size = -65536');
      // the sorter may use a second thread; it shares no state with ours
      db.pragma('threads = 1');
      migrate(db, migrationsFolder('directory'));
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    if (error instanceof RollcallError) throw error;
    throw new RollcallError('store', `cannot open ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Opens read-only, for the main thread. Throws `store` when the file is missing or of another version. */
export function openDirectoryReader(path: string): Db {
  try {
    const db = new Database(path, { readonly: true, fileMustExist: true });
    if (schemaVersion(db) < 1) throw new Error('it holds no Rollcall directory yet');
    return db;
  } catch (error) {
    throw new RollcallError('store', `cannot read ${path}: ${messageOf(error)}`, {
      cause: error,
      hint: 'Run `rollcall control` or `rollcall sync` once; it creates the database.',
    });
  }
}

/** Anything thrown while a run was going on: failures of the disk get a place and a way to mend them. */
export function explainStoreError(db: Db, error: unknown): RollcallError {
  const code = (error as { code?: unknown }).code;
  const text = typeof code === 'string' && code.startsWith('SQLITE_') ? messageOf(error) : undefined;
  if (text === undefined) return asRollcallError(error);
  const isSpace = /^SQLITE_(FULL|IOERR)/.test(String(code));
  return new RollcallError('store', `${dirname(db.name)} cannot be written: ${text}`, {
    cause: error,
    hint: isSpace ? 'Free space there; the list in force stays, and the next run starts anew.' : '',
  });
}
