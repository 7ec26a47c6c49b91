/**
 * The state of lookup.db, seen from control: does it have to be published again, or built anew.
 *
 * Read-only and cheap enough for every second, except `isSound`, which reads the whole file and belongs into a worker.
 * Each look opens the file afresh: a connection that is kept would go on seeing a file that was deleted or overwritten.
 */
import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { damagedMarkerPath, lookupVersion } from '../lookup/schema.js';
import { generationOf } from '../store/sqlite/catalog.js';
import { openDirectoryReader } from '../store/sqlite/open.js';

export type LookupState =
  /** `behind`: of another generation than the directory. */
  'current' | 'behind' | 'missing' | 'damaged';

export function lookupState(lookupFile: string, directoryFile: string): LookupState {
  if (!existsSync(lookupFile)) return 'missing';
  if (existsSync(damagedMarkerPath(lookupFile))) return 'damaged';
  const published = publishedGeneration(lookupFile);
  if (published === 'damaged') return 'damaged';
  return published === directoryGeneration(directoryFile) ? 'current' : 'behind';
}

/** The generation of the directory as of now. Throws `store` when it cannot be read. */
export function directoryGeneration(directoryFile: string): number {
  const db = openDirectoryReader(directoryFile);
  try {
    return generationOf(db);
  } finally {
    db.close();
  }
}

function publishedGeneration(lookupFile: string): number | 'damaged' {
  return reading(lookupFile, (db) => {
    if (db.pragma('user_version', { simple: true }) !== lookupVersion) return 'damaged';
    return (
      db.prepare<[], number>("SELECT value FROM meta WHERE name = 'generation'").pluck().get() ?? 'damaged'
    );
  });
}

/** Whether every page of lookup.db can be read. */
export function isSound(lookupFile: string): boolean {
  return reading(lookupFile, (db) => db.pragma('quick_check(1)', { simple: true }) === 'ok') === true;
}

function reading<T>(path: string, look: (db: Database.Database) => T): T | 'damaged' {
  try {
    const db = new Database(path, { readonly: true, fileMustExist: true, timeout: 1000 });
    try {
      return look(db);
    } finally {
      db.close();
    }
  } catch (error) {
    if (isBusy(error)) throw error;
    return 'damaged';
  }
}

function isBusy(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && /^SQLITE_(BUSY|LOCKED|IOERR|CANTOPEN|FULL|NOMEM)/.test(code);
}
