/**
 * Claims single entries that were asked for at the source: new people are known before the next sync.
 *
 * Promises: only adds, and changes what takes nothing away; what an entry has lost is left to the next sync, which has a guard.
 * Recorded as a run of kind `claim`. Throws `conflict` while another run of the source is in progress.
 */
import type { Entry } from '../source/source.js';
import { applyPlan } from '../store/sqlite/apply.js';
import { planClaims } from '../store/sqlite/diff.js';
import { beginRun } from '../store/sqlite/runs.js';
import { openStaging, type Staging } from '../store/sqlite/staging.js';
import type { RunHandle, RunRecord, SourceRef } from '../store/store.js';
import { gainsAndLosses } from './losses.js';
import { stageEntry } from './read-changes.js';
import type { RunDeps } from './request.js';
import { closeFailed, finish } from './run.js';
import type { Scope } from './scope.js';
import { Tally } from './tally.js';

export interface ClaimRequest {
  readonly ref: SourceRef;
  readonly actor: string;
  /** Whole, as the source has them now. */
  readonly entries: readonly Entry[];
  readonly scope: Scope;
  readonly maxProblems: number;
}

export function runClaim(deps: RunDeps, request: ClaimRequest): RunRecord {
  const handle = beginRun(deps.db, { ...request, kind: 'claim', now: deps.now(), leaseMs: deps.leaseMs });
  let staging: Staging | undefined;
  try {
    staging = openStaging(deps.db, handle.run);
    claim(deps, request, handle, staging);
  } catch (error) {
    closeFailed(deps, handle, error);
  } finally {
    staging?.discard();
  }
  return finish(deps, handle);
}

function claim(deps: RunDeps, request: ClaimRequest, handle: RunHandle, staging: Staging): void {
  const tally = new Tally(request.maxProblems);
  for (const entry of request.entries) stageEntry(entry, staging, request.scope, tally);
  const plan = planClaims(deps.db, request.ref);
  applyPlan(deps.db, {
    handle,
    plan,
    decision: { go: true, hold: [], approvable: true, reasons: [] },
    read: request.entries.length,
    skipped: tally.skipped,
    complete: false,
    notes: tally.notes(),
    description: 'entries that were asked for at the source, because mail came for them',
    problems: tally.problems,
    covers: [],
    changes: { state: undefined, listed: false, proof: false, ...gainsAndLosses({ deps, request }) },
    actor: request.actor,
    now: deps.now(),
  });
}
