/**
 * Leases: at most one run of a source at a time, in whatever process.
 *
 * A lease is a row with an expiry, so that it works on any SQL store. On the same host a lease whose process is gone is
 * free at once, so that a killed control can start again without waiting; what a thread left behind is for its process to free.
 */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';
import { RollcallError } from '../../errors.js';
import type { RunHandle, SourceRef } from '../store.js';
import type { Db } from './open.js';

/** Start time of a process in clock ticks since boot, so that a reused pid is not mistaken for its owner. Linux only. */
function startTimeOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

const thisProcess = `${hostname()}:${process.pid}:${startTimeOf(process.pid)}`;

/** `host:pid:start:thread` of a thread of this process. */
export function ownerOfThread(thread: number): string {
  return `${thisProcess}:${thread}`;
}

const thisOwner = ownerOfThread(threadId);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** False only when the owner is known to be gone: another host's process may always be alive. */
export function ownerMayLive(owner: string): boolean {
  const [host, pid, start] = owner.split(':');
  if (host !== hostname()) return true;
  return isAlive(Number(pid)) && (start === '' || startTimeOf(Number(pid)) === start);
}

interface LeaseRow {
  readonly run: number;
  readonly owner: string;
  readonly expires_at: number;
}

/**
 * The live lease of a source, if there is one. One that ends later than any that is taken now (twice `leaseMs`) is from a clock that
 * was ahead: whoever holds it and lives renews it soon. Inside the caller's transaction.
 */
export function liveLease(db: Db, ref: SourceRef, now: number, leaseMs: number): LeaseRow | undefined {
  const row = db
    .prepare<[number, number], LeaseRow>(
      'SELECT run, owner, expires_at FROM lease WHERE tenant = ? AND source = ?',
    )
    .get(ref.tenantId, ref.sourceId);
  if (row === undefined || row.expires_at <= now || row.expires_at > now + 2 * leaseMs) return undefined;
  return ownerMayLive(row.owner) ? row : undefined;
}

/** Takes the lease for a run. Inside the caller's transaction, after liveLease() gave nothing. */
export function takeLease(db: Db, ref: SourceRef, run: number, expiresAt: number): void {
  db.prepare(
    'INSERT OR REPLACE INTO lease (tenant, source, run, owner, expires_at) VALUES (?, ?, ?, ?, ?)',
  ).run(ref.tenantId, ref.sourceId, run, thisOwner, expiresAt);
}

/** Moves the expiry on. Throws `conflict` when the lease was lost: the run must stop. */
export function renewLease(db: Db, handle: RunHandle, expiresAt: number): void {
  const { changes } = db
    .prepare('UPDATE lease SET expires_at = ? WHERE tenant = ? AND source = ? AND run = ? AND owner = ?')
    .run(expiresAt, handle.ref.tenantId, handle.ref.sourceId, handle.run, thisOwner);
  if (changes !== 1) throw lostLease(handle);
}

export function holdsLease(db: Db, handle: RunHandle): boolean {
  const row = db
    .prepare<[number, number], LeaseRow>(
      'SELECT run, owner, expires_at FROM lease WHERE tenant = ? AND source = ?',
    )
    .get(handle.ref.tenantId, handle.ref.sourceId);
  return row?.run === handle.run && row.owner === thisOwner;
}

/** Fencing: nothing is written by a run that no longer holds its lease. Inside the caller's transaction. */
export function requireLease(db: Db, handle: RunHandle): void {
  if (!holdsLease(db, handle)) throw lostLease(handle);
}

export function releaseLease(db: Db, handle: RunHandle): void {
  db.prepare('DELETE FROM lease WHERE tenant = ? AND source = ? AND run = ?').run(
    handle.ref.tenantId,
    handle.ref.sourceId,
    handle.run,
  );
}

function lostLease(handle: RunHandle): RollcallError {
  return new RollcallError(
    'conflict',
    `run ${handle.run} lost the lease of source ${handle.ref.name}; nothing was written`,
  );
}
