/**
 * Runs as every door shows them: the command line and HTTP print the same JSON. Times are ISO 8601 in UTC.
 *
 * The keys of RunSummary are the outside contract: they are added to, never renamed.
 */
import type { Counts, Resolution, RunKind, RunMode, RunRecord, RunState } from './store.js';

export interface RunSummary {
  readonly run: number;
  readonly source: string;
  readonly state: RunState;
  readonly mode: RunMode;
  readonly complete: boolean;
  readonly planHash: string | null;
  readonly counts: Counts;
  readonly reasons: readonly string[];
  readonly notes: readonly string[];
  readonly description: string;
}

export function summariseRun(record: RunRecord): RunSummary {
  const { run, source, state, mode, complete, planHash, counts, reasons, notes, description } = record;
  return { run, source, state, mode, complete, planHash, counts, reasons, notes, description };
}

export interface RunDetails extends RunSummary {
  readonly tenant: string;
  readonly kind: RunKind;
  readonly parent: number | null;
  readonly actor: string;
  readonly resolution: Resolution | null;
  readonly generation: number | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

export function detailRun(record: RunRecord): RunDetails {
  const { tenant, kind, parent, actor, resolution, generation, startedAt, endedAt } = record;
  return {
    ...summariseRun(record),
    tenant,
    kind,
    parent,
    actor,
    resolution,
    generation,
    startedAt: new Date(startedAt).toISOString(),
    endedAt: endedAt === null ? null : new Date(endedAt).toISOString(),
  };
}
