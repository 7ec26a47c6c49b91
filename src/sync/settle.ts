/**
 * What a person does with a run: approve its held part, discard it, or roll it back.
 *
 * Approval names a plan's hash: if a newer read has changed the plan since, the approval does not count. Approving and
 * rolling back are runs of their own, with their changes in the history; they pass no guard, because a person has looked.
 */
import { RollcallError } from '../errors.js';
import { applyPlan } from '../store/sqlite/apply.js';
import { hashDiff } from '../store/sqlite/diff-facts.js';
import { planHeld, planRollback } from '../store/sqlite/diff-settled.js';
import { discardHeld, newestHold, settledHash } from '../store/sqlite/held.js';
import { getRun } from '../store/sqlite/run-records.js';
import { beginRun } from '../store/sqlite/runs.js';
import { openStaging, type Staging } from '../store/sqlite/staging.js';
import type { Decision, Plan, RunHandle, RunKind, RunRecord, SourceRef } from '../store/store.js';
import type { RunDeps } from './request.js';
import { closeFailed, finish } from './run.js';

export interface Settle {
  readonly ref: SourceRef;
  readonly run: number;
  readonly actor: string;
}

const go: Decision = { go: true, hold: [], approvable: true, reasons: [] };

/**
 * Applies the held part of a run. `hash` is the plan hash the approver has seen; without it, the run's own. Throws
 * `not-found`, or `conflict` when the hash is another, nothing is held, or a newer run has a different plan.
 */
export function approveRun(deps: RunDeps, settle: Settle, hash?: string): RunRecord {
  const record = requireRun(deps, settle);
  if (record.resolution === null) throw nothingHeld(record);
  if (hash !== undefined && hash !== record.planHash) {
    throw new RollcallError(
      'conflict',
      `run ${record.run} has plan ${record.planHash ?? 'none'}, not ${hash}: nothing was applied`,
      {
        hint: `Look at it again with \`rollcall show ${record.run}\`.`,
      },
    );
  }
  const held = holdToApprove(deps, settle, record);
  return asRun(deps, settle, 'approve', held.run, () => {
    const plan = planHeld(deps.db, settle.ref, held.run);
    if (hashDiff(deps.db, ['+', '!', '-']) !== held.hash) throw planChanged(record);
    return { plan, settles: held.run };
  });
}

/** The newest open hold of the source, if it is this run's or the same as it. */
function holdToApprove(deps: RunDeps, settle: Settle, record: RunRecord): { run: number; hash: string } {
  if (record.resolution === 'approved' || record.resolution === 'discarded') throw nothingHeld(record);
  const newest = newestHold(deps.db, settle.ref);
  if (newest === undefined || newest.hash !== settledHash(deps.db, record.run)) throw planChanged(record);
  return newest;
}

/**
 * Drops the held part of a run. The next run sees the same difference again, and holds it again. Where additions were held,
 * unknown addresses stay deferred until a complete read goes through: the source has named people who are not in the list.
 */
export function discardRun(deps: RunDeps, settle: Settle): RunRecord {
  const record = requireRun(deps, settle);
  if (record.resolution !== 'pending') throw nothingHeld(record);
  discardHeld(deps.db, settle.ref, record.run, { actor: settle.actor, now: deps.now() });
  deps.publish();
  return requireRun(deps, settle);
}

/**
 * Brings the source's claims back to what they were before `run`, undoing it and every later run of the source. Where that
 * takes addresses away which the source had named, nobody is unknown until its next complete read.
 */
export function rollbackRun(deps: RunDeps, settle: Settle): RunRecord {
  const record = requireRun(deps, settle);
  if (record.generation === null) {
    throw new RollcallError(
      'conflict',
      `run ${record.run} changed nothing, so there is nothing to roll back`,
    );
  }
  return asRun(deps, settle, 'rollback', record.run, () => ({
    plan: planRollback(deps.db, settle.ref, record.run),
    settles: undefined,
  }));
}

interface Prepared {
  readonly plan: Plan;
  readonly settles: number | undefined;
}

function asRun(
  deps: RunDeps,
  settle: Settle,
  kind: RunKind,
  parent: number,
  prepare: () => Prepared,
): RunRecord {
  const handle = beginRun(deps.db, { ...settle, kind, parent, now: deps.now(), leaseMs: deps.leaseMs });
  let staging: Staging | undefined;
  try {
    staging = openStaging(deps.db, handle.run);
    applySettled(deps, settle, handle, prepare());
  } catch (error) {
    closeFailed(deps, handle, error);
  } finally {
    staging?.discard();
  }
  return finish(deps, handle);
}

function applySettled(deps: RunDeps, settle: Settle, handle: RunHandle, { plan, settles }: Prepared): void {
  applyPlan(deps.db, {
    handle,
    plan,
    decision: go,
    read: 0,
    skipped: 0,
    complete: false,
    notes: [],
    description:
      handle.kind === 'approve'
        ? `held part of run ${settles ?? settle.run}`
        : `back to before run ${settle.run}`,
    problems: [],
    covers: [],
    settles,
    actor: settle.actor,
    now: deps.now(),
  });
}

function requireRun(deps: RunDeps, settle: Settle): RunRecord {
  const record = getRun(deps.db, settle.run, settle.ref.tenant);
  if (record?.source !== settle.ref.name)
    throw new RollcallError('not-found', `there is no run ${settle.run}`);
  return record;
}

function nothingHeld(record: RunRecord): RollcallError {
  const why =
    record.resolution === null ? `it ended as ${record.state}` : `its held part was ${record.resolution}`;
  return new RollcallError('conflict', `run ${record.run} has nothing to approve or discard: ${why}`);
}

function planChanged(record: RunRecord): RollcallError {
  return new RollcallError(
    'conflict',
    `the plan of source ${record.source} has changed since run ${record.run}: nothing was applied`,
    {
      hint: `Look at the newest run with \`rollcall runs --source ${record.source}\` and approve that one.`,
    },
  );
}
