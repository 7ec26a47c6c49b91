/**
 * One read transaction for all reads of one turn of the event loop.
 *
 * Beginning and ending a read costs more than the read itself (locks, and a look whether the file has changed). The first
 * read of a turn goes alone; with the second a transaction begins, which ends with the turn, so that nobody who writes waits
 * longer than that and nothing that is read is older.
 */
import type { Database } from 'better-sqlite3';

export interface ReadTurn {
  /** Before each read. Throws what SQLite throws. */
  enter(): void;
  /** Ends the transaction, if there is one: before the connection is used for anything else. */
  end(): void;
}

export function createReadTurn(db: Database): ReadTurn {
  const begin = db.prepare<[]>('BEGIN');
  const commit = db.prepare<[]>('COMMIT');
  let reads = 0;

  function end(): void {
    reads = 0;
    // false also when an error has ended it, or the connection is closed
    if (db.inTransaction) commit.run();
  }

  function enter(): void {
    reads += 1;
    if (reads === 1) setImmediate(leave);
    else if (reads === 2 && !db.inTransaction) begin.run();
  }

  function leave(): void {
    try {
      end();
    } catch {
      // nothing was written; the next read meets what is wrong, and tells
    }
  }

  return { enter, end };
}
