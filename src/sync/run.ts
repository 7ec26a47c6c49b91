/**
 * One run of a source, the story on one screen: lease → snapshot → plan → guard → apply → publish.
 *
 * Promises: the run is recorded whatever its end; a preview takes the same path up to the write; what the source or the
 * guard refuses leaves the claims as they were. Throws only `conflict` (another run of the source is in progress, or the
 * lease was lost) and failures of the store itself: any other end is a record.
 */
import { keyOf } from '../address/key.js';
import { parseMailbox } from '../address/mailbox.js';
import { RollcallError } from '../errors.js';
import type { Source } from '../source/source.js';
import { applyPlan } from '../store/sqlite/apply.js';
import { coveredAddresses } from '../store/sqlite/coverage.js';
import { planRead } from '../store/sqlite/diff.js';
import { keepSample } from '../store/sqlite/held.js';
import { holdsLease, renewLease } from '../store/sqlite/lease.js';
import { explainStoreError, type Db } from '../store/sqlite/open.js';
import { getRun } from '../store/sqlite/run-records.js';
import { beginRun, closeRun } from '../store/sqlite/runs.js';
import { splitPlan } from '../store/sqlite/split.js';
import { missingKeys, openStaging, type Staging } from '../store/sqlite/staging.js';
import {
  noCounts,
  type Decision,
  type Plan,
  type RunHandle,
  type RunKind,
  type RunRecord,
  type RunState,
  type SourceRef,
} from '../store/store.js';
import { guard, type GuardLimits } from './guard.js';
import type { Scope } from './scope.js';
import { takeSnapshot, type Snapshot } from './snapshot.js';

export type Phase = 'reading' | 'comparing' | 'applying' | 'publishing';
export type Progress = (phase: Phase, done: number, total?: number) => void;

/** What every run needs, whatever it does. */
export interface RunDeps {
  readonly db: Db;
  readonly now: () => number;
  /** Brings the edges' snapshot up to the store; called after every run that ended well. */
  readonly publish: () => void;
  readonly leaseMs: number;
  readonly progress?: Progress;
}

export interface SyncRequest {
  readonly ref: SourceRef;
  readonly kind: Extract<RunKind, 'sync' | 'upload'>;
  readonly actor: string;
  readonly source: Source;
  readonly scope: Scope;
  readonly limits: GuardLimits;
  /** Addresses that a complete read must contain. */
  readonly canaries: readonly string[];
  readonly dryRun: boolean;
  readonly maxProblems: number;
  readonly signal: AbortSignal;
}

export async function runSync(deps: RunDeps, request: SyncRequest): Promise<RunRecord> {
  const { db } = deps;
  const handle = beginRun(db, { ...request, now: deps.now(), leaseMs: deps.leaseMs });
  let staging: Staging | undefined;
  try {
    staging = openStaging(db, handle.run);
    const snapshot = await readInto(staging, deps, request, handle);
    deps.progress?.('comparing', snapshot.read);
    const plan = planRead(db, request.ref);
    const doubts = doubtsOf(db, snapshot, request.canaries);
    const wanted = [...snapshot.byDomain.values()].reduce((sum, n) => sum + n, 0);
    const collapsed = collapsedDomains(db, request, snapshot);
    const decision = guard({ plan, limits: request.limits, doubts, wanted, collapsed });
    renewLease(db, handle, deps.now() + deps.leaseMs);
    deps.progress?.('applying', plan.added + plan.changed + plan.removed);
    if (request.dryRun || !decision.go) closePlanned(deps, handle, request, { snapshot, plan, decision });
    else applyRead(deps, handle, request, { snapshot, plan, decision, complete: doubts.length === 0 });
  } catch (error) {
    closeFailed(deps, handle, error);
  } finally {
    staging?.discard();
  }
  return finish(deps, handle);
}

function readInto(
  staging: Staging,
  deps: RunDeps,
  request: SyncRequest,
  handle: RunHandle,
): Promise<Snapshot> {
  let renewedAt = handle.startedAt;
  return takeSnapshot({
    source: request.source,
    scope: request.scope,
    signal: request.signal,
    maxProblems: request.maxProblems,
    stage: (claims, doubtful) => {
      staging.add(claims);
      staging.addDoubtful(doubtful);
    },
    progress: (done, total) => deps.progress?.('reading', done, total),
    heartbeat: () => {
      const now = deps.now();
      if (now - renewedAt < deps.leaseMs / 3) return;
      renewLease(deps.db, handle, now + deps.leaseMs);
      renewedAt = now;
    },
  });
}

/** One address may well leave a domain for good; two at once, and the domain empty, is a mishap until a person says no. */
function collapsedDomains(
  db: Db,
  request: SyncRequest,
  snapshot: Snapshot,
): { domain: string; before: number }[] {
  const covered = coveredAddresses(db, request.ref);
  return request.scope.covers
    .map((domain) => ({ domain, before: covered.get(domain) ?? 0 }))
    .filter(({ domain, before }) => before > 1 && (snapshot.byDomain.get(domain) ?? 0) === 0);
}

/** Everything that keeps this read from being a proof. */
function doubtsOf(db: Db, snapshot: Snapshot, canaries: readonly string[]): string[] {
  const keys = canaries.map((canary) => {
    const parsed = parseMailbox(canary);
    return parsed.ok ? keyOf(parsed.mailbox) : canary;
  });
  const missing = keys.length === 0 ? [] : missingKeys(db, keys);
  const doubts = snapshot.report.complete ? [] : [...snapshot.report.reasons];
  if (!snapshot.report.complete && doubts.length === 0)
    doubts.push('the source could not prove that its list is complete');
  return [...doubts, ...missing.map((key) => `canary ${key} is missing`)];
}

/** Additions, and removals, that a preview keeps for a person to look at. */
const sampleRows = 100;

interface Planned {
  readonly snapshot: Snapshot;
  readonly plan: Plan;
  readonly decision: Decision;
}

function closePlanned(deps: RunDeps, handle: RunHandle, request: SyncRequest, planned: Planned): void {
  const { snapshot, plan, decision } = planned;
  const { held } = splitPlan(plan, decision, decision.approvable);
  const counts = {
    read: snapshot.read,
    added: plan.added,
    changed: plan.changed + plan.denied + plan.moved,
    removed: plan.removed,
    held,
    skipped: snapshot.skipped,
  };
  const state: RunState = decision.go ? 'planned' : 'refused';
  if (decision.go) keepSample(deps.db, handle, sampleRows);
  closeRun(
    deps.db,
    handle,
    {
      state,
      complete: request.dryRun && snapshot.report.complete && decision.approvable,
      planHash: plan.hash,
      counts: decision.go ? counts : { ...noCounts, read: snapshot.read, skipped: snapshot.skipped },
      reasons: decision.reasons,
      notes: snapshot.notes,
      description: snapshot.report.description,
      now: deps.now(),
    },
    snapshot.problems,
  );
}

function applyRead(
  deps: RunDeps,
  handle: RunHandle,
  request: SyncRequest,
  read: Planned & { complete: boolean },
): void {
  const { snapshot } = read;
  applyPlan(deps.db, {
    handle,
    plan: read.plan,
    decision: read.decision,
    read: snapshot.read,
    skipped: snapshot.skipped,
    complete: read.complete,
    notes: snapshot.notes,
    description: snapshot.report.description,
    problems: snapshot.problems,
    covers: request.scope.covers.map((domain) => ({ domain, addresses: snapshot.byDomain.get(domain) ?? 0 })),
    actor: request.actor,
    now: deps.now(),
  });
}

/**
 * Records why a run failed. Throws a `conflict` on, once it is recorded; and when even that cannot be written: then the run
 * is found unfinished at the next start.
 */
export function closeFailed(deps: RunDeps, handle: RunHandle, error: unknown): void {
  const known = explainStoreError(deps.db, error);
  // whoever took the lease over has marked this run; its row is not ours to write
  if (!holdsLease(deps.db, handle)) throw known;
  const reasons = known.hint === '' ? [known.message] : [known.message, known.hint];
  const state: RunState = known.code === 'input' ? 'refused' : 'failed';
  try {
    closeRun(
      deps.db,
      handle,
      { state, complete: false, counts: noCounts, reasons, notes: [], description: '', now: deps.now() },
      [],
    );
  } catch (second) {
    throw new RollcallError(
      'store',
      `run ${handle.run} failed (${known.message}) and that could not be recorded`,
      {
        cause: second,
      },
    );
  }
  if (known.code === 'conflict') throw known;
}

/** Publishes, also when nothing changed: the edges must learn how fresh the list is. Returns the record. */
export function finish(deps: RunDeps, handle: RunHandle): RunRecord {
  const record = getRun(deps.db, handle.run);
  if (record === undefined) throw new RollcallError('internal', `run ${handle.run} is missing`);
  if (!['failed', 'refused', 'planned'].includes(record.state)) {
    deps.progress?.('publishing', 0);
    deps.publish();
  }
  return record;
}
