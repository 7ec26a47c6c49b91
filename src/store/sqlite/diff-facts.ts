/** What is to be known of a filled `stage.diff`: its hash, its keys, a sample. Changes nothing. */
import { createHash } from 'node:crypto';
import type { Plan } from '../store.js';
import type { Db } from './open.js';

/** Keys that a plan takes away or denies. */
export function lostKeys(db: Db): IterableIterator<string> {
  return db
    .prepare<[], string>("SELECT DISTINCT key FROM stage.diff WHERE op IN ('-', '!')")
    .pluck()
    .iterate();
}

/** The key of every claim that a plan adds, or takes away (moved ones are both, at their own claims). */
export function keysOf(db: Db, ops: '+' | '-=' | '='): IterableIterator<string> {
  return db
    .prepare<[string], string>('SELECT key FROM stage.diff WHERE instr(?, op) > 0')
    .pluck()
    .iterate(ops);
}

/** How many claims a read of everything came to. */
export function countWanted(db: Db, plan: Plan): number {
  if (plan.current === 0) return plan.added;
  return db.prepare<[], number>('SELECT COUNT(*) FROM stage.wanted').pluck().get() ?? 0;
}

/** Keys that one object was given more than once, and how often beyond the first. */
export function repeatedKeys(db: Db): IterableIterator<{ readonly key: string; readonly more: number }> {
  return db
    .prepare<[], { key: string; more: number }>(
      'SELECT key, COUNT(*) - 1 AS more FROM stage.entry GROUP BY key, object HAVING COUNT(*) > 1',
    )
    .iterate();
}

/** Objects that lose claims and were not read at all. */
export function countVanished(db: Db): number {
  return (
    db
      .prepare<[], number>(
        `SELECT COUNT(DISTINCT object) FROM stage.diff d
         WHERE op = '-' AND NOT EXISTS (SELECT 1 FROM stage.wanted w WHERE w.object = d.object)`,
      )
      .pluck()
      .get() ?? 0
  );
}

export interface LostAttribute {
  readonly attribute: string;
  /** Claims that a plan takes away which came from it. */
  readonly lost: number;
}

/** Attributes (columns of a file) from which no claim comes any more, with more than `floor` claims taken away. */
export function lostAttributes(db: Db, floor: number): LostAttribute[] {
  return db
    .prepare<[number], LostAttribute>(
      `SELECT attribute, COUNT(*) AS lost FROM stage.diff
       WHERE op = '-' AND attribute NOT IN (SELECT DISTINCT attribute FROM stage.wanted)
       GROUP BY attribute HAVING lost > ?`,
    )
    .all(floor);
}

const rowsPerChunk = 4096;

/**
 * SHA-256 over the chosen rows of the diff, in order; first 16 hex digits. The text is built in SQL, some thousand rows at
 * a time: a million calls into JavaScript would cost a second.
 */
export function hashDiff(db: Db, ops: readonly string[]): string {
  const hash = createHash('sha256');
  const last = db.prepare<[], number | null>('SELECT MAX(rowid) FROM stage.diff').pluck().get() ?? 0;
  const chunk = db
    .prepare<[number, number, string], string | null>(
      `SELECT group_concat(op || char(31) || key || char(31) || object || char(31) || attribute || char(31) || kind ||
         char(31) || flags || char(31) || COALESCE(spelling, '') || char(31) || COALESCE(before, ''), char(30))
       FROM (SELECT * FROM stage.diff WHERE rowid > ? AND rowid <= ? AND instr(?, op) > 0 ORDER BY rowid)`,
    )
    .pluck();
  const chosen = ops.join('');
  let separator = '';
  for (let start = 0; start < last; start += rowsPerChunk) {
    const text = chunk.get(start, start + rowsPerChunk, chosen);
    if (text === null || text === undefined) continue;
    hash.update(separator).update(text);
    separator = '\x1e';
  }
  return hash.digest('hex').slice(0, 16);
}
