/**
 * lookup.db: what the edges read. Disposable: its schema has no migrations; a file of another version is built anew.
 *
 * One row a key, so that a verdict costs one indexed read of one value. Nearly every key has one claim that is spelled
 * like the key: its slot is the number `source * 8 + flags`. Any other has its slots in `slots`, a JSON array of
 * [source, flags, removedAt, spellings].
 */
import { join } from 'node:path';

export const lookupVersion = 1;

export function lookupPath(dataDir: string): string {
  return join(dataDir, 'lookup.db');
}

/** `lookup.damaged`: an edge that finds its snapshot unreadable leaves this file; control builds the snapshot anew. */
export function damagedMarkerPath(lookupFile: string): string {
  return `${lookupFile.replace(/\.db$/, '')}.damaged`;
}

/** Slots are numbered `source * slotBase + flags`. */
export const slotBase = 8;

export const slotFlags = { disabled: 1, internalOnly: 2, removed: 4 } as const;

export const lookupSchema = `
  CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE tenant (tenant INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL);
  CREATE TABLE source (source INTEGER NOT NULL PRIMARY KEY, tenant INTEGER NOT NULL, name TEXT NOT NULL);
  CREATE TABLE coverage (
    tenant INTEGER NOT NULL, source INTEGER NOT NULL, domain TEXT NOT NULL,
    complete_at INTEGER NOT NULL, addresses INTEGER NOT NULL, pending INTEGER NOT NULL,
    PRIMARY KEY (tenant, source, domain)
  ) WITHOUT ROWID;
  CREATE TABLE recipient (
    tenant INTEGER NOT NULL, key TEXT NOT NULL,
    slot INTEGER, slots TEXT,
    PRIMARY KEY (tenant, key)
  ) WITHOUT ROWID;
`;
