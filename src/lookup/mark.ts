/**
 * Where a snapshot stands beside the directory: the mark it was published with, and whether its file can be used at all.
 */
import { existsSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { Mark } from '../store/sqlite/meta.js';
import { damagedMarkerPath, lookupVersion } from './schema.js';

/** Throws what SQLite throws for a damaged file. */
export function lookupMarkOf(db: Database.Database): Mark | undefined {
  if (db.pragma('user_version', { simple: true }) !== lookupVersion) return undefined;
  const rows = db.prepare<[], { name: string; value: number }>('SELECT name, value FROM meta').all();
  const value = (name: string): number => rows.find((row) => row.name === name)?.value ?? -1;
  return { generation: value('generation'), stamp: value('stamp'), revision: value('revision') };
}

/**
 * The mark of the file in place; `missing`, or `damaged` when it must be built anew. Opens the file afresh: a connection
 * that is kept would go on seeing a file that was deleted. Throws when the file is only busy.
 */
export function readLookupMark(lookupFile: string): Mark | 'missing' | 'damaged' {
  if (!existsSync(lookupFile)) return 'missing';
  if (statSync(lookupFile).size === 0 || existsSync(damagedMarkerPath(lookupFile))) return 'damaged';
  try {
    const db = new Database(lookupFile, { readonly: true, timeout: 1000 });
    try {
      return lookupMarkOf(db) ?? 'damaged';
    } finally {
      db.close();
    }
  } catch (error) {
    if (isBusy(error)) throw error;
    return 'damaged';
  }
}

/** The file itself is bad: SQLite cannot make sense of it. */
export function isDamage(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(error));
}

/** Nothing is wrong with the file: it, or the machine, could not serve us now. */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED|IOERR|CANTOPEN|FULL|NOMEM)/.test(codeOf(error));
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? code : '';
}
