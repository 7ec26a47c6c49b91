/**
 * The counters of the directory: generation, stamp, revision. What followers compare to know whether they are up to date.
 */
import { randomInt } from 'node:crypto';
import { RollcallError } from '../../errors.js';
import type { Db } from './open.js';

/** Where a directory, or a snapshot of it, stands. */
export interface Mark {
  /** Number of the last applied change. */
  readonly generation: number;
  /** Random, of that generation: a restored backup that goes on gives the same numbers but other stamps. */
  readonly stamp: number;
  /** Grows with everything the edges must see. */
  readonly revision: number;
}

export function sameMark(a: Mark, b: Mark): boolean {
  return a.generation === b.generation && a.stamp === b.stamp && a.revision === b.revision;
}

function read(db: Db, name: string): number {
  return numberOf(
    name,
    db.prepare<[string], string>('SELECT value FROM meta WHERE name = ?').pluck().get(name),
  );
}

function numberOf(name: string, value: string | undefined): number {
  if (value === undefined)
    throw new RollcallError('store', `directory.db has no ${name}; restore it from a backup`);
  return Number(value);
}

/** One statement, so that the numbers belong together whoever writes meanwhile. */
export function markOf(db: Db): Mark {
  const rows = db.prepare<[], { name: string; value: string }>('SELECT name, value FROM meta').all();
  const value = (name: string): number => numberOf(name, rows.find((row) => row.name === name)?.value);
  return { generation: value('generation'), stamp: value('stamp'), revision: value('revision') };
}

/** The stamp of an earlier generation; undefined when its run is no longer kept. */
export function stampOf(db: Db, generation: number): number | undefined {
  return db.prepare<[number], number>('SELECT stamp FROM run WHERE generation = ?').pluck().get(generation);
}

export function generationOf(db: Db): number {
  return read(db, 'generation');
}

/** Tells followers to look again. Inside the caller's transaction. */
export function bumpRevision(db: Db): void {
  db.prepare("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE name = 'revision'").run();
}

/** The next generation, with a fresh stamp. Inside the transaction that holds its changes. */
export function nextGeneration(db: Db): Pick<Mark, 'generation' | 'stamp'> {
  const generation = read(db, 'generation') + 1;
  const stamp = randomInt(2 ** 47);
  const write = db.prepare('UPDATE meta SET value = ? WHERE name = ?');
  write.run(String(generation), 'generation');
  write.run(String(stamp), 'stamp');
  bumpRevision(db);
  return { generation, stamp };
}
