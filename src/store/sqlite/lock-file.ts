/**
 * A lock between processes: an SQLite file used only for its lock, which the kernel frees when its holder dies, however it
 * dies.
 *
 * Promises: who returns holds it alone. Refuses a file that cannot be written (`store`): SQLite would take the lock for a
 * read of a read-only database, and let everybody have it.
 */
import { readFileSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { messageOf, RollcallError } from '../../errors.js';

export interface LockFileOptions {
  /** How long to wait for another holder; default: not at all. */
  readonly timeoutMs?: number;
  /** What another holder is at: the message of `conflict`. */
  readonly busy: string;
}

/** Returns the function that gives the lock back. Throws `conflict` while another process (or thread) holds it. */
export function takeLockFile(path: string, { timeoutMs = 0, busy }: LockFileOptions): () => void {
  const db = open(path, timeoutMs);
  try {
    db.exec('BEGIN EXCLUSIVE');
    // BEGIN EXCLUSIVE succeeds on a file that cannot be written, and locks nothing (sqlite3BtreeIsReadonly)
    db.exec('PRAGMA user_version = 0');
  } catch (cause) {
    db.close();
    throw isCode(cause, 'SQLITE_BUSY')
      ? new RollcallError('conflict', busy, { cause })
      : unusable(path, cause);
  }
  return () => {
    db.exec('ROLLBACK');
    db.close();
  };
}

function open(path: string, timeout: number): Database.Database {
  try {
    return new Database(path, { timeout });
  } catch (cause) {
    throw unusable(path, cause);
  }
}

function isCode(error: unknown, prefix: string): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith(prefix);
}

function unusable(path: string, cause: unknown): RollcallError {
  const owner = ownerOf(path);
  const whose =
    owner === undefined ? '' : ` It belongs to ${owner}, and Rollcall runs as ${userName(ownUid())}.`;
  return new RollcallError('store', `the lock file ${path} cannot be used: ${messageOf(cause)}.${whose}`, {
    cause,
    hint: `Give it and its folder to one user (chown ${userName(ownUid())} ${path}), and run every command of Rollcall as that user.`,
  });
}

function ownUid(): number {
  return process.geteuid?.() ?? -1;
}

function ownerOf(path: string): string | undefined {
  const there = statSync(path, { throwIfNoEntry: false });
  return there === undefined ? undefined : userName(there.uid);
}

/** The number, where the name is not in /etc/passwd. */
function userName(uid: number): string {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((each) => each.split(':')[2] === String(uid));
    return line?.split(':')[0] ?? String(uid);
  } catch {
    return String(uid);
  }
}
