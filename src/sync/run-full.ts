/**
 * A read of everything: what is not read is gone, if the source has proved that it gave all, and as far as the guard lets it.
 */
import { keyOf } from '../address/key.js';
import { parseMailbox } from '../address/mailbox.js';
import { applyPlan } from '../store/sqlite/apply.js';
import { planRead } from '../store/sqlite/diff.js';
import { countVanished, lostAttributes } from '../store/sqlite/diff-facts.js';
import { keepSample } from '../store/sqlite/held.js';
import { renewLease } from '../store/sqlite/lease.js';
import type { Db } from '../store/sqlite/open.js';
import { closeRun } from '../store/sqlite/runs.js';
import { readSourceState } from '../store/sqlite/source-state.js';
import { splitPlan } from '../store/sqlite/split.js';
import { missingKeys } from '../store/sqlite/staging.js';
import { noCounts, type Decision, type Plan, type RunState } from '../store/store.js';
import { guard } from './guard.js';
import { lossesOf, namedByDomain } from './losses.js';
import type { RunPart } from './run-part.js';
import { firstSlotAfter } from './schedule-slots.js';
import { takeSnapshot, type Snapshot } from './snapshot.js';

/** `why`: why everything is read, for the notes; empty when that is how the source is always read. */
export async function runFull(part: RunPart, why: readonly string[]): Promise<void> {
  const { deps, request, handle } = part;
  const since = removedSince(part);
  const staged = await readInto(part);
  deps.progress?.('comparing', staged.read);
  const plan = planRead(deps.db, request.ref);
  const snapshot = { ...staged, byDomain: namedByDomain(part, plan, staged.byDomain) };
  const doubts = doubtsOf(deps.db, snapshot, request.canaries);
  const decision = guard({
    plan,
    limits: request.limits,
    doubts,
    wanted: [...snapshot.byDomain.values()].reduce((sum, n) => sum + n, 0),
    domains: lossesOf(part, (domain) => snapshot.byDomain.get(domain) ?? 0).map((domain) =>
      since === 0 ? { ...domain, since } : domain,
    ),
    waits: [...request.waits, ...lostAccess(part, plan, snapshot), ...lostRights(part, plan)],
    removedSince: since,
  });
  renewLease(deps.db, handle, deps.now() + deps.leaseMs);
  deps.progress?.('applying', plan.added + plan.changed + plan.removed);
  const notes = [...why, ...(snapshot.report.notes ?? []), ...snapshot.notes];
  const planned = { snapshot, plan, decision, notes, complete: doubts.length === 0, since };
  if (request.dryRun || !decision.go) closePlanned(part, planned);
  else applyRead(part, planned);
}

/** What reads of changes have taken away so far; at the times of `fullSchedule` it begins anew. */
function removedSince({ deps, request, handle }: RunPart): number {
  const { fullAt, removedSince: since } = readSourceState(deps.db, request.ref);
  const schedule = request.reading?.fullSchedule;
  const isTime =
    schedule !== undefined && firstSlotAfter(schedule, fullAt ?? 0, handle.startedAt) !== undefined;
  return isTime ? 0 : since;
}

function readInto({ deps, request, staging, heartbeat }: RunPart): Promise<Snapshot> {
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
    heartbeat,
  });
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

/**
 * Objects that vanish while the directory itself counts as many as before were not deleted: we may have lost the right to read
 * them. A few may be chance, so the guard's floor counts here too.
 */
function lostAccess({ deps, request }: RunPart, plan: Plan, { report }: Snapshot): string[] {
  const before = readSourceState(deps.db, request.ref).ownCount;
  if (before === null || report.ownCount === undefined || plan.removed <= request.limits.removals.floor)
    return [];
  const vanished = countVanished(deps.db);
  const fell = before - report.ownCount;
  if (vanished <= request.limits.removals.floor || fell * 2 >= vanished) return [];
  return [
    `${vanished} objects are no longer to be seen, but the directory counts ${report.ownCount} where it counted ${before}: this account may have lost the right to read them`,
  ];
}

/**
 * An attribute that gave many addresses and gives none at all was hardly emptied by hand, object by object. Where the
 * configuration is another, it may not be asked for any more.
 */
function lostRights({ deps, request }: RunPart, plan: Plan): string[] {
  const { floor } = request.limits.removals;
  const before = readSourceState(deps.db, request.ref).madeFrom;
  if (plan.removed <= floor || request.reading?.madeFrom !== before) return [];
  return lostAttributes(deps.db, floor).map(
    ({ attribute, lost }) =>
      `no address comes from ${attribute} any more, and ${lost} of its addresses would go: it may have been renamed, or hidden from this account`,
  );
}

/** Additions, and removals, that a preview keeps for a person to look at. */
const sampleRows = 100;

interface Planned {
  readonly snapshot: Snapshot;
  readonly plan: Plan;
  readonly decision: Decision;
  readonly notes: readonly string[];
  readonly complete: boolean;
  readonly since: number;
}

function closePlanned({ deps, handle, request }: RunPart, planned: Planned): void {
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
      notes: planned.notes,
      description: snapshot.report.description,
      now: deps.now(),
    },
    snapshot.problems,
  );
}

function applyRead({ deps, handle, request }: RunPart, read: Planned): void {
  const { snapshot } = read;
  const { report } = snapshot;
  applyPlan(deps.db, {
    handle,
    plan: read.plan,
    decision: read.decision,
    read: snapshot.read,
    skipped: snapshot.skipped,
    complete: read.complete,
    notes: read.notes,
    description: report.description,
    problems: snapshot.problems,
    covers: request.scope.covers.map((domain) => ({ domain, addresses: snapshot.byDomain.get(domain) ?? 0 })),
    full: {
      cursor: request.reading === undefined ? undefined : report.cursor,
      madeFrom: request.reading?.madeFrom ?? '',
      ownCount: report.ownCount,
      removedSince: read.since,
    },
    actor: request.actor,
    now: deps.now(),
  });
}
