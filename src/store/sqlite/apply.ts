/**
 * Apply: the one place that changes claims.
 *
 * Promises: one transaction holds the claims, their history, the tombstones, the held rows, the coverage, the generation
 * and the end of the run: after a crash either all of it is there or none. Applies only a plan with a decision, and only
 * while the run still holds its lease.
 */
import type { Counts, Decision, Plan, ProblemRecord, RunHandle, RunMode, RunState } from '../store.js';
import { recordAudit } from './audit.js';
import type { CoveredDomain } from './coverage.js';
import { updateCoverage, updateState } from './apply-state.js';
import { hashDiff } from './diff-facts.js';
import { countContradicted } from './held.js';
import { requireLease } from './lease.js';
import { nextGeneration, type Mark } from './meta.js';
import { endRun, saveProblems } from './runs.js';
import type { Db } from './open.js';
import type { SourceState } from './source-state.js';
import { splitPlan, type Op, type Split } from './split.js';

const columns = 'key, object, attribute, kind, flags, spelling';

export interface Apply {
  readonly handle: RunHandle;
  readonly plan: Plan;
  readonly decision: Decision;
  readonly read: number;
  readonly skipped: number;
  readonly complete: boolean;
  readonly notes: readonly string[];
  readonly description: string;
  readonly problems: readonly ProblemRecord[];
  /** Domains that the read spoke for, when it was complete. */
  readonly covers: readonly CoveredDomain[];
  /** What the source's state is after a read of everything, if that was complete. */
  readonly full?: FullRead | undefined;
  /** A read of changes, or single entries: only the staged objects were looked at. */
  readonly changes?: ChangesRead | undefined;
  /** The held run that this one settles (approve), or undefined. */
  readonly settles?: number | undefined;
  readonly actor: string;
  readonly now: number;
}

export interface FullRead {
  readonly cursor: string | undefined;
  readonly madeFrom: string;
  readonly ownCount: number | undefined;
  /** Claims taken away earlier that count together with its removals; kept while those are held. */
  readonly removedSince: number;
}

export interface ChangesRead {
  /** State of the source afterwards, when everything could be applied; undefined: it stays as it is (single entries). */
  readonly state: SourceState | undefined;
  /** The ids of all objects were compared. */
  readonly listed: boolean;
  /** Nothing can have been missed up to the beginning of the run. */
  readonly proof: boolean;
  /** Claims that come, and that go, by covered domain; without what is held. */
  readonly gained: ReadonlyMap<string, number>;
  readonly lost: ReadonlyMap<string, number>;
  /** Addresses that are removed or denied, by covered domain; without what is held. */
  readonly removed: ReadonlyMap<string, number>;
}

export interface Applied {
  readonly state: RunState;
  readonly counts: Counts;
  readonly generation: number | undefined;
}

/** Applies what the decision lets through and ends the run. */
export function applyPlan(db: Db, apply: Apply): Applied {
  return db.transaction((): Applied => applyInside(db, apply)).immediate();
}

function applyInside(db: Db, apply: Apply): Applied {
  const { handle, plan, decision } = apply;
  requireLease(db, handle);
  const proved =
    apply.complete ||
    apply.changes !== undefined ||
    apply.settles !== undefined ||
    handle.kind === 'rollback';
  const split = splitPlan(plan, decision, proved);
  const made = split.applied > 0 ? applyClaims(db, apply, split.ops) : undefined;
  const approvable = split.held > 0 && decision.approvable;
  settle(db, apply, approvable ? split.heldOps : []);
  updateCoverage(db, apply, split);
  updateState(db, apply, split);
  const counts = countsOf(apply, split);
  const state = stateOf(split.applied > 0, split.held > 0 || decision.hold.length > 0);
  saveProblems(db, handle, apply.problems);
  endRun(db, handle, {
    state,
    mode: modeOf(apply),
    complete: apply.complete,
    planHash: plan.hash,
    heldHash: approvable ? hashDiff(db, split.heldOps) : undefined,
    resolution: approvable ? 'pending' : undefined,
    made,
    counts,
    reasons: decision.reasons,
    notes: apply.notes,
    description: apply.description,
    now: apply.now,
  });
  return { state, counts, generation: made?.generation };
}

function countsOf({ plan, read, skipped }: Apply, { ops, held }: Split): Counts {
  const when = (op: Op, n: number): number => (ops.includes(op) ? n : 0);
  return {
    read,
    added: when('+', plan.added),
    changed: plan.changed + when('!', plan.denied) + when('=', plan.moved),
    removed: when('-', plan.removed),
    held,
    skipped,
  };
}

function stateOf(applied: boolean, held: boolean): RunState {
  if (held) return applied ? 'partly-held' : 'held';
  return applied ? 'applied' : 'unchanged';
}

/** Claims, tombstones and history; returns the new generation. */
function applyClaims(db: Db, apply: Apply, ops: readonly Op[]): Pick<Mark, 'generation' | 'stamp'> {
  const { tenantId, sourceId } = apply.handle.ref;
  const { run } = apply.handle;
  removeClaims(db, apply, ops);
  db.prepare(
    `INSERT INTO claim (tenant, source, ${columns}, since_run)
     SELECT ?, ?, ${columns}, ? FROM stage.diff WHERE op IN ('+', '~', '!') AND instr(?, op) > 0 ORDER BY rowid
     ON CONFLICT (tenant, source, key, object) DO UPDATE SET
       attribute = excluded.attribute, kind = excluded.kind, flags = excluded.flags, spelling = excluded.spelling`,
  ).run(tenantId, sourceId, run, ops.join(''));
  recordChanges(db, apply, ops);
  return nextGeneration(db);
}

function removeClaims(db: Db, apply: Apply, ops: readonly Op[]): void {
  const { tenantId, sourceId } = apply.handle.ref;
  const gone = ops.filter((op) => op === '-' || op === '=').join('');
  if (gone === '' || apply.plan.removed + apply.plan.moved === 0) return;
  db.prepare(
    `DELETE FROM claim WHERE tenant = ? AND source = ?
       AND (key, object) IN (SELECT key, object FROM stage.diff WHERE instr(?, op) > 0)`,
  ).run(tenantId, sourceId, gone);
  if (!gone.includes('-')) return;
  // the source's last word for the key has gone: the address is deferred for a while before it is unknown
  db.prepare(
    `INSERT INTO removal (tenant, source, key, removed_at, run)
     SELECT DISTINCT ?, ?, d.key, ?, ? FROM stage.diff d
     WHERE d.op = '-' AND NOT EXISTS (SELECT 1 FROM claim c WHERE c.tenant = ? AND c.source = ? AND c.key = d.key)
     ON CONFLICT (tenant, source, key) DO UPDATE SET removed_at = excluded.removed_at, run = excluded.run`,
  ).run(tenantId, sourceId, apply.now, apply.handle.run, tenantId, sourceId);
}

function recordChanges(db: Db, apply: Apply, ops: readonly Op[]): void {
  // in key order, so that the primary key grows at its end
  db.prepare(
    `INSERT INTO change (tenant, run, ${columns}, op, before)
     SELECT ?, ?, ${columns}, CASE op WHEN '=' THEN '-' WHEN '!' THEN '~' ELSE op END, before FROM stage.diff
     WHERE op IN (SELECT value FROM json_each(?)) ORDER BY key, object`,
  ).run(apply.handle.ref.tenantId, apply.handle.run, JSON.stringify(ops));
}

/** Keeps what is held, and closes what earlier runs of the source had left open: a newer plan takes their place. */
function settle(db: Db, apply: Apply, heldOps: readonly string[]): void {
  const { ref, run, kind } = apply.handle;
  if (apply.settles !== undefined) {
    db.prepare("UPDATE run SET resolution = 'approved' WHERE run = ?").run(apply.settles);
    recordAudit(db, {
      ref,
      at: apply.now,
      actor: apply.actor,
      action: 'approve',
      run: apply.settles,
      detail: apply.plan.hash,
    });
  }
  if (kind === 'rollback') {
    recordAudit(db, {
      ref,
      at: apply.now,
      actor: apply.actor,
      action: 'rollback',
      run,
      detail: apply.plan.hash,
    });
  }
  // an incomplete read proves nothing about removals, nor do changes about the rest: an open question stays open, unless a
  // part of it has been answered
  const isAnswered =
    apply.changes === undefined
      ? apply.complete || apply.settles !== undefined || kind === 'rollback'
      : countContradicted(db, ref) > 0;
  if (isAnswered) closeOpenHolds(db, apply);
  if (heldOps.length === 0) return;
  db.prepare(
    `INSERT INTO held (tenant, run, ${columns}, op)
     SELECT ?, ?, ${columns}, op FROM stage.diff WHERE op IN (SELECT value FROM json_each(?)) ORDER BY key, object`,
  ).run(ref.tenantId, run, JSON.stringify(heldOps));
}

function closeOpenHolds(db: Db, apply: Apply): void {
  const { tenantId, sourceId } = apply.handle.ref;
  db.prepare(
    `DELETE FROM held WHERE tenant = ? AND run IN (SELECT run FROM run WHERE tenant = ? AND source = ? AND held_hash IS NOT NULL AND run <> ?)`,
  ).run(tenantId, tenantId, sourceId, apply.handle.run);
  db.prepare(
    `UPDATE run SET resolution = 'superseded' WHERE tenant = ? AND source = ? AND resolution = 'pending' AND run <> ?`,
  ).run(tenantId, sourceId, apply.handle.run);
}

function modeOf({ changes, handle }: Apply): RunMode {
  if (changes === undefined) return 'full';
  return handle.kind === 'claim' ? 'claim' : 'changes';
}
