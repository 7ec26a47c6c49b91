/**
 * Jobs: everything that changes what sources claim, each as one function call. Run by the worker thread of control, and by
 * the command line in its own process; leases and locks keep the two apart.
 */
import type { Config } from '../config/schema.js';
import { RollcallError } from '../errors.js';
import type { Entry } from '../source/source.js';
import { registerSource } from '../store/sqlite/catalog.js';
import type { Db } from '../store/sqlite/open.js';
import { getRun } from '../store/sqlite/run-records.js';
import type { RunRecord, SourceRef } from '../store/store.js';
import type { Progress, RunDeps } from '../sync/request.js';
import { runSync } from '../sync/run.js';
import { runClaim } from '../sync/claim.js';
import { approveRun, discardRun, rollbackRun } from '../sync/settle.js';
import { scopeOf } from './domains.js';
import { openStore, publishNow } from './housekeeping.js';
import { neighboursInError } from './neighbours.js';
import { readingOf } from './reading.js';
import type { Upload } from './sources/csv.js';
import { listSourceOf, sourceOf } from './sources/sources.js';

export type Job = { readonly actor: string } & (
  | {
      readonly kind: 'sync';
      readonly source: string;
      readonly dryRun: boolean;
      /** Reads everything, also where only changes could be read. */
      readonly full?: boolean | undefined;
    }
  /** Single entries that were found at the source when mail came for them. */
  | { readonly kind: 'claim'; readonly source: string; readonly entries: readonly Entry[] }
  | { readonly kind: 'upload'; readonly source: string; readonly dryRun: boolean; readonly upload: Upload }
  | {
      readonly kind: 'approve';
      readonly run: number;
      readonly hash?: string | undefined;
      readonly tenant?: string | undefined;
    }
  | { readonly kind: 'discard' | 'rollback'; readonly run: number; readonly tenant?: string | undefined }
);

export interface JobHooks {
  readonly signal: AbortSignal;
  readonly progress?: Progress;
  readonly now?: () => number;
}

/**
 * Does one job and returns the record of its run. Throws `not-found`, `conflict`, `usage`, `store`; whatever goes wrong
 * in the source itself is a record with state `failed` or `refused`.
 */
export async function runJob(config: Config, job: Job, hooks: JobHooks): Promise<RunRecord> {
  const db = openStore(config);
  try {
    const now = hooks.now ?? Date.now;
    const deps: RunDeps = {
      db,
      now,
      leaseMs: config.sync.lease,
      publish: () => void publishNow(config),
      ...(hooks.progress !== undefined && { progress: hooks.progress }),
    };
    if (job.kind === 'sync' || job.kind === 'upload') return await runRead(config, deps, job, hooks.signal);
    if (job.kind === 'claim') return claimEntries(config, deps, job);
    const settle = { ref: refOfRun(db, job.run, job.tenant), run: job.run, actor: job.actor };
    if (job.kind === 'approve') return approveRun(deps, settle, job.hash);
    return job.kind === 'discard' ? discardRun(deps, settle) : rollbackRun(deps, settle);
  } finally {
    db.close();
  }
}

function runRead(
  config: Config,
  deps: RunDeps,
  job: Extract<Job, { kind: 'sync' | 'upload' }>,
  signal: AbortSignal,
): Promise<RunRecord> {
  const options = listSourceOf(config, job.source);
  const { tenant, kind, guard } = options;
  const source = sourceOf(config, job.source, job.kind === 'upload' ? job.upload : undefined);
  const scope = scopeOf(config, tenant);
  return runSync(deps, {
    ref: registerSource(deps.db, tenant, job.source, kind),
    kind: job.kind,
    actor: job.actor,
    source,
    scope,
    limits: guard,
    canaries: guard.canaries,
    waits: neighboursInError(config, deps.db, job.source),
    reading: job.kind === 'upload' ? undefined : readingOf(options, scope, job.full === true),
    dryRun: job.dryRun,
    maxProblems: config.sync.maxProblems,
    signal,
  });
}

function claimEntries(config: Config, deps: RunDeps, job: Extract<Job, { kind: 'claim' }>): RunRecord {
  const { tenant, kind } = listSourceOf(config, job.source);
  return runClaim(deps, {
    ref: registerSource(deps.db, tenant, job.source, kind),
    actor: job.actor,
    entries: job.entries,
    scope: scopeOf(config, tenant),
    maxProblems: config.sync.maxProblems,
  });
}

function refOfRun(db: Db, run: number, tenant: string | undefined): SourceRef {
  const record = getRun(db, run, tenant);
  if (record === undefined) throw new RollcallError('not-found', `there is no run ${run}`);
  return registerSource(db, record.tenant, record.source, 'unknown');
}
