/**
 * Staging: where one run gathers what its source says, before anything is compared or changed.
 *
 * A scratch file of its own, attached to the run's connection as `stage`: a million entries never sit in the heap and
 * never touch the directory. It needs no durability (a crash throws the run away), so it is written without a journal.
 *
 *   entry   what was read, in the order it came
 *   doubtful objects with values that could not be used
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

export interface Staging {
  /** Adds claims of one batch. */
  add(claims: readonly StagedClaim[]): void;
  /** Objects some of whose values could not be used. */
  addDoubtful(objects: readonly string[]): void;
  /** Detaches and deletes the scratch file. */
  discard(): void;
}

function stagingFolder(directoryFile: string): string {
  return join(dirname(directoryFile), 'staging');
}

/** Scratch files left by processes that died. Called at start, when no run of this process is going. */
export function sweepStaging(db: Db): void {
  const folder = stagingFolder(db.name);
  const live = new Set(
    db
      .prepare<[], number>("SELECT run FROM run WHERE state = 'running'")
      .pluck()
      .all()
      .map((run) => `run-${run}.db`),
  );
  for (const name of listFolder(folder)) {
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
    CREATE TABLE stage.entry (${claimColumns});
    CREATE TABLE stage.doubtful (object TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE stage.diff (op TEXT NOT NULL, ${claimColumns}, before TEXT);
  `);
  const insert = db.prepare('INSERT INTO stage.entry VALUES (?, ?, ?, ?, ?, ?)');
  const addAll = db.transaction((claims: readonly StagedClaim[]) => {
    for (const c of claims) insert.run(c.key, c.object, c.attribute, c.kind, c.flags, c.spelling);
  });
  const doubt = db.prepare('INSERT OR IGNORE INTO stage.doubtful VALUES (?)');
  return {
    add: (claims) => {
      addAll(claims);
    },
    addDoubtful: (objects) => {
      for (const object of objects) doubt.run(object);
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
