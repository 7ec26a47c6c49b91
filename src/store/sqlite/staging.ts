/**
 * Staging: where one run gathers what its source says, before anything is compared or changed.
 *
 * A scratch file of its own, attached to the run's connection as `stage`: a million entries never sit in the heap and
 * never touch the directory. It needs no durability (a crash throws the run away), so it is written without a journal.
 *
 *   entry   what was read, in the order it came
 *   doubtful objects with values that could not be used
 *   touched  reads of changes only: objects that are as staged now, or gone
 *   listed   reads of changes only: ids of all objects there are
 *   wanted  the same in key order, one row per (key, object); left out when the source had no claim before
 *   diff    what a run would change, in the order in which it is hashed and applied: op +, ~ and ! (changed so that
 *            mail is refused), then - and = (the address has moved to another object)
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { StagedClaim } from '../store.js';
import type { Db } from './open.js';

const claimColumns =
  'key TEXT NOT NULL, object TEXT NOT NULL, attribute TEXT NOT NULL, kind TEXT NOT NULL, flags INTEGER NOT NULL, spelling TEXT';

const tables = `
  CREATE TABLE stage.entry (${claimColumns});
  CREATE TABLE stage.doubtful (object TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE stage.touched (object TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE stage.listed (object TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE stage.diff (op TEXT NOT NULL, ${claimColumns}, before TEXT);
`;

export interface Staging {
  /** Adds claims of one batch. */
  add(claims: readonly StagedClaim[]): void;
  /** Objects some of whose values could not be used. */
  addDoubtful(objects: readonly string[]): void;
  /** One object as it is now, without claims when it is gone: what was staged of it before is forgotten. */
  change(object: string, claims: readonly StagedClaim[], doubtful: boolean): void;
  /** Ids of objects that exist. */
  addListed(objects: readonly string[]): void;
  /** Forgets everything that was staged. */
  clear(): void;
  /** Detaches and deletes the scratch file. */
  discard(): void;
}

function stagingFolder(directoryFile: string): string {
  return join(dirname(directoryFile), 'staging');
}

/** Scratch files left by processes and threads that died. */
export function sweepStaging(db: Db): void {
  const folder = stagingFolder(db.name);
  // before the runs: whoever has a file there is recorded as running by then
  const names = listFolder(folder);
  const live = new Set(
    db
      .prepare<[], number>("SELECT run FROM run WHERE state = 'running'")
      .pluck()
      .all()
      .map((run) => `run-${run}.db`),
  );
  for (const name of names) {
    if (!live.has(name.replace(/-(wal|shm|journal)$/, ''))) rmSync(join(folder, name), { force: true });
  }
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Opens the scratch file of a run. One at a time per connection. */
export function openStaging(db: Db, run: number): Staging {
  const path = join(stagingFolder(db.name), `run-${run}.db`);
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  rmSync(path, { force: true });
  db.prepare('ATTACH ? AS stage').run(path);
  db.exec(`
    PRAGMA stage.journal_mode = OFF;
    PRAGMA stage.synchronous = OFF;
    PRAGMA stage.cache_size = -32768;
  `);
  db.exec(tables);
  const insert = db.prepare('INSERT INTO stage.entry VALUES (?, ?, ?, ?, ?, ?)');
  const addAll = db.transaction((claims: readonly StagedClaim[]) => {
    for (const c of claims) insert.run(c.key, c.object, c.attribute, c.kind, c.flags, c.spelling);
  });
  const doubt = db.prepare('INSERT OR IGNORE INTO stage.doubtful VALUES (?)');
  const touch = db.prepare('INSERT OR IGNORE INTO stage.touched VALUES (?)');
  const list = db.prepare('INSERT OR IGNORE INTO stage.listed VALUES (?)');
  const listAll = db.transaction((objects: readonly string[]) => {
    for (const object of objects) list.run(object);
  });
  let indexed = false;
  const forget = (object: string): void => {
    db.prepare('DELETE FROM stage.entry WHERE object = ?').run(object);
    db.prepare('DELETE FROM stage.doubtful WHERE object = ?').run(object);
  };
  return {
    add: (claims) => {
      addAll(claims);
    },
    addDoubtful: (objects) => {
      for (const object of objects) doubt.run(object);
    },
    change(object, claims, doubtful) {
      if (!indexed) db.exec('CREATE INDEX stage.entry_by_object ON entry (object)');
      indexed = true;
      if (touch.run(object).changes === 0) forget(object);
      addAll(claims);
      if (doubtful) doubt.run(object);
    },
    addListed: (objects) => {
      listAll(objects);
    },
    clear() {
      db.exec('DROP TABLE IF EXISTS stage.wanted; DROP INDEX IF EXISTS stage.entry_by_object');
      indexed = false;
      for (const table of ['entry', 'doubtful', 'touched', 'listed', 'diff'])
        db.exec(`DELETE FROM stage.${table}`);
    },
    discard: () => {
      db.exec('DETACH stage');
      rmSync(path, { force: true });
    },
  };
}

/** Which of these keys were not read. */
export function missingKeys(db: Db, keys: readonly string[]): string[] {
  const found = new Set(
    db
      .prepare<[string], string>(
        'SELECT DISTINCT key FROM stage.entry WHERE key IN (SELECT value FROM json_each(?))',
      )
      .pluck()
      .all(JSON.stringify(keys)),
  );
  return keys.filter((key) => !found.has(key));
}
