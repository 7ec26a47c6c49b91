/** Housekeeping: what is too old to matter goes, so that nothing grows without bound. */
import type { Db } from './open.js';

/** Longer than any `removed.deferFor` may be (30 days): past it a tombstone changes no verdict. */
const tombstoneMs = 31 * 24 * 3_600_000;

export interface Pruned {
  readonly runs: number;
  readonly removals: number;
}

/**
 * Drops tombstones past use, and ended runs with their changes and problems past `historyMs`. The newest generation and
 * open holds stay, and what came after an open hold: rolling that back needs it. Age is counted up to the newest run: by a clock
 * that is ahead, and after a long stop, nothing is too old.
 */
export function prune(db: Db, { now, historyMs }: { now: number; historyMs: number }): Pruned {
  return db
    .transaction((): Pruned => {
      const newest = db.prepare<[], number | null>('SELECT MAX(started_at) FROM run').pluck().get() ?? 0;
      const until = Math.min(now, newest);
      const removals = db
        .prepare('DELETE FROM removal WHERE removed_at < ?')
        .run(until - tombstoneMs).changes;
      const runs = db
        .prepare<[number], { tenant: number; run: number }>(
          `SELECT tenant, run FROM run WHERE ended_at < ? AND state <> 'running' AND COALESCE(resolution, '') <> 'pending'
           AND run <> (SELECT MAX(run) FROM run)
           AND generation IS NOT (SELECT MAX(generation) FROM run)
           AND NOT EXISTS (
             SELECT 1 FROM run p WHERE p.tenant = run.tenant AND p.source = run.source
               AND p.resolution = 'pending' AND p.run < run.run)`,
        )
        .all(until - historyMs);
      for (const table of ['change', 'problem', 'held', 'run']) {
        const drop = db.prepare(`DELETE FROM ${table} WHERE tenant = ? AND run = ?`);
        for (const { tenant, run } of runs) drop.run(tenant, run);
      }
      return { runs: runs.length, removals };
    })
    .immediate();
}
