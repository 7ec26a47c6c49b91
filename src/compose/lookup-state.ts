/**
 * The state of lookup.db, seen from control: does it have to be published again, or built anew.
 *
 * Read-only and cheap enough for every second, except `isSound`, which reads the whole file and belongs into a worker.
 * Each look opens the file afresh: a connection that is kept would go on seeing a file that was deleted or overwritten.
 */
import Database from 'better-sqlite3';
import { isBusy, readLookupMark } from '../lookup/mark.js';
import { markOf, sameMark, type Mark } from '../store/sqlite/meta.js';
import { openDirectoryReader } from '../store/sqlite/open.js';

export type LookupState =
  /** `behind`: at another mark than the directory. */
  'current' | 'behind' | 'missing' | 'damaged';

export function lookupState(lookupFile: string, directoryFile: string): LookupState {
  const published = readLookupMark(lookupFile);
  if (typeof published === 'string') return published;
  return sameMark(published, directoryMark(directoryFile)) ? 'current' : 'behind';
}

/** Where the directory stands now. Throws `store` when it cannot be read. */
function directoryMark(directoryFile: string): Mark {
  const db = openDirectoryReader(directoryFile);
  try {
    return markOf(db);
  } finally {
    db.close();
  }
}

/** Whether every page of lookup.db can be read. Throws when the file is only busy. */
export function isSound(lookupFile: string): boolean {
  try {
    const db = new Database(lookupFile, { readonly: true, fileMustExist: true, timeout: 1000 });
    try {
      return db.pragma('quick_check(1)', { simple: true }) === 'ok';
    } finally {
      db.close();
    }
  } catch (error) {
    if (isBusy(error)) throw error;
    return false;
  }
}
