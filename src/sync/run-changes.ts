/**
 * A read of changes: the objects that changed since the cursor are as they were read, all others stay as they are.
 *
 * Promises: nothing is applied on a doubt, nor anything that the guard would hold: then it returns why, and everything has to be
 * read. The cursor moves on in the transaction of the claims, and only when all it covers is applied.
 */
import { keyOf } from '../address/key.js';
import { parseMailbox } from '../address/mailbox.js';
import { applyPlan } from '../store/sqlite/apply.js';
import { readCoverage } from '../store/sqlite/coverage.js';
import { compareListing, planChanges } from '../store/sqlite/diff.js';
import { lostKeys } from '../store/sqlite/diff-facts.js';
import { countContradicted, keepSample } from '../store/sqlite/held.js';
import { renewLease } from '../store/sqlite/lease.js';
import { lastSyncEnd } from '../store/sqlite/run-records.js';
import { closeRun } from '../store/sqlite/runs.js';
import { readSourceState, type SourceState } from '../store/sqlite/source-state.js';
import { splitPlan } from '../store/sqlite/split.js';
import type { Decision, Plan } from '../store/store.js';
import { guardChanges } from './guard.js';
import { gainsAndLosses, lossesOf } from './losses.js';
import { readChanges, type ReadChanges } from './read-changes.js';
import type { RunPart } from './run-part.js';
import { firstSlotAfter } from './schedule-slots.js';

/** Undefined when the run is done; else why everything has to be read (nothing, if the source is always read so). */
export async function runChanges(part: RunPart): Promise<readonly string[] | undefined> {
  const start = startOf(part);
  if ('readAll' in start) return start.readAll;
  const why = await applyChanges(part, start);
  if (why !== undefined) part.staging.clear();
  return why?.map((reason) => `everything was read: ${reason}`);
}

interface Start {
  readonly state: SourceState;
  readonly cursor: string;
  readonly source: Parameters<typeof readChanges>[0]['source'];
  readonly listing: boolean;
}

function startOf({ deps, request }: RunPart): Start | { readonly readAll: readonly string[] } {
  const { reading, source } = request;
  if (reading === undefined || !reading.incremental || source.changes === undefined) return { readAll: [] };
  const state = readSourceState(deps.db, request.ref);
  const { cursor, fullAt } = state;
  if (cursor === null || fullAt === null) return { readAll: [] };
  if (state.madeFrom !== reading.madeFrom)
    return { readAll: ['everything was read: the configuration of the source or of its domains is another'] };
  const last = lastSyncEnd(deps.db, request.ref);
  // a limit of the server may stand before a search for changes for ever, and not before a read of everything
  if (last?.state === 'failed') return { readAll: ['everything was read: the last run failed'] };
  const now = deps.now();
  // by such times it would not be time for years, and the list would have no age
  if (Math.max(fullAt, state.listedAt ?? 0, last?.startedAt ?? 0) > now)
    return { readAll: ['everything was read: the clock was set back since the last run'] };
  const { fullSchedule, listEveryMs } = reading;
  if (fullSchedule !== undefined && firstSlotAfter(fullSchedule, fullAt, now) !== undefined)
    return { readAll: ['everything was read: it was time (fullSchedule)'] };
  const listing = now - (state.listedAt ?? fullAt) >= listEveryMs;
  const changes = source.changes.bind(source);
  return { state, cursor, listing, source: { changes } };
}

async function applyChanges(part: RunPart, start: Start): Promise<readonly string[] | undefined> {
  const { deps, request, handle } = part;
  const read = await readChanges({
    ...start,
    scope: request.scope,
    staging: part.staging,
    signal: request.signal,
    progress: (done, total) => deps.progress?.('reading', done, total),
    heartbeat: part.heartbeat,
    maxProblems: request.maxProblems,
  });
  if (read.report.doubts.length > 0) return read.report.doubts;
  deps.progress?.('comparing', read.read);
  const listed = start.listing && read.report.listed === true;
  const unknown = listed ? compareListing(deps.db, request.ref) : 0;
  // the first listing after a read of everything only learns which objects have no address of ours
  if (unknown > 0 && start.state.listedAt !== null)
    return [`${unknown} listed objects were in no read of changes: they were missed, or could not be seen`];
  const plan = planChanges(deps.db, request.ref);
  const contradicted = countContradicted(deps.db, request.ref);
  if (contradicted > 0) return [`${contradicted} claims that wait to be taken away are there again`];
  if (listed && start.state.ownCount !== null && plan.removed > request.limits.removals.floor)
    return [
      `a listing was without the objects of ${plan.removed} claims: the directory's own count has to be asked`,
    ];
  const decision = decide(part, start, plan);
  if ('readAll' in decision) return decision.readAll;
  renewLease(deps.db, handle, deps.now() + deps.leaseMs);
  deps.progress?.('applying', plan.added + plan.changed + plan.removed);
  const state: SourceState = {
    ...start.state,
    cursor: read.report.cursor,
    removedSince: start.state.removedSince + plan.removed + plan.denied,
    listedAt: listed ? handle.startedAt : start.state.listedAt,
  };
  if (request.dryRun) closePlanned(part, read, plan, decision);
  else apply(part, { read, plan, decision, state, listed });
  return undefined;
}

function decide(part: RunPart, { state }: Start, plan: Plan): ReturnType<typeof guardChanges> {
  const { deps, request } = part;
  const { gained, lost } = gainsAndLosses(part);
  const covered = readCoverage(deps.db, request.ref);
  const leftIn = (domain: string): number =>
    (covered.get(domain)?.addresses ?? 0) + (gained.get(domain) ?? 0) - (lost.get(domain) ?? 0);
  return guardChanges({
    plan,
    limits: request.limits,
    domains: lossesOf(part, leftIn).filter(({ lost: n }) => n > 0),
    waits: request.waits,
    removedSince: state.removedSince,
    canaries: lostCanaries(part),
  });
}

function lostCanaries({ deps, request }: RunPart): string[] {
  if (request.canaries.length === 0) return [];
  const keys = new Set(
    request.canaries.map((canary) => {
      const parsed = parseMailbox(canary);
      return parsed.ok ? keyOf(parsed.mailbox) : canary;
    }),
  );
  const lost: string[] = [];
  for (const key of lostKeys(deps.db)) if (keys.has(key)) lost.push(key);
  return lost;
}

interface Read {
  readonly read: ReadChanges;
  readonly plan: Plan;
  readonly decision: Decision;
  readonly state: SourceState;
  readonly listed: boolean;
}

function apply(part: RunPart, { read, plan, decision, state, listed }: Read): void {
  const { deps, request, handle } = part;
  applyPlan(deps.db, {
    handle,
    plan,
    decision,
    read: read.read,
    skipped: read.skipped,
    complete: read.report.proof,
    notes: read.notes,
    description: read.report.description,
    problems: read.problems,
    covers: [],
    changes: { state, listed, proof: read.report.proof, ...gainsAndLosses(part, decision.hold) },
    actor: request.actor,
    now: deps.now(),
  });
}

/** Additions, and removals, that a preview keeps for a person to look at. */
const sampleRows = 100;

function closePlanned({ deps, handle }: RunPart, read: ReadChanges, plan: Plan, decision: Decision): void {
  const { held } = splitPlan(plan, decision, true);
  keepSample(deps.db, handle, sampleRows);
  closeRun(
    deps.db,
    handle,
    {
      state: 'planned',
      mode: 'changes',
      complete: read.report.proof,
      planHash: plan.hash,
      counts: {
        read: read.read,
        added: plan.added,
        changed: plan.changed + plan.denied + plan.moved,
        removed: plan.removed,
        held,
        skipped: read.skipped,
      },
      reasons: decision.reasons,
      notes: read.notes,
      description: read.report.description,
      now: deps.now(),
    },
    read.problems,
  );
}
