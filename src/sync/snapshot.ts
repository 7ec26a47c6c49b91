/**
 * Snapshot: one whole read of a source into staging.
 *
 * Promises: every address gets the key that lookup will use; one claim per object and key; whatever cannot be used is
 * counted and told, with its place and reason. Throws what the source throws: then nothing of the read counts.
 */
import type { Problem, ReadReport, Source } from '../source/source.js';
import type { StagedClaim } from '../store/store.js';
import { claimsOf } from './claims.js';
import type { Scope } from './scope.js';
import { Tally } from './tally.js';

export interface SnapshotOptions {
  readonly source: Source;
  readonly scope: Scope;
  /** Takes the claims of a batch, and the objects some of whose values could not be used. */
  readonly stage: (claims: readonly StagedClaim[], doubtful: readonly string[]) => void;
  readonly signal: AbortSignal;
  readonly progress: (done: number, total?: number) => void;
  /** Called after each batch; throws when the run must stop. */
  readonly heartbeat: () => void;
  /** How many problems are kept; all are counted. */
  readonly maxProblems: number;
}

export interface Snapshot {
  readonly read: number;
  readonly skipped: number;
  /** Addresses staged, by the entry of the scope they count for. */
  readonly byDomain: ReadonlyMap<string, number>;
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
  readonly report: ReadReport;
}

export async function takeSnapshot(options: SnapshotOptions): Promise<Snapshot> {
  const tally = new Tally(options.maxProblems);
  const reader = options.source.read({
    signal: options.signal,
    progress: options.progress,
    problem: (problem) => {
      tally.problem(problem);
    },
  });
  for (;;) {
    const step = await reader.next();
    if (step.done === true) {
      const { read, skipped, byDomain, problems } = tally;
      return { read, skipped, byDomain, problems, notes: tally.notes(), report: step.value };
    }
    tally.read += step.value.length;
    const staged = step.value.map((entry) => ({ entry, ...claimsOf(entry, options.scope, tally) }));
    options.stage(
      staged.flatMap(({ claims }) => claims),
      staged.filter(({ doubtful }) => doubtful).map(({ entry }) => entry.id),
    );
    options.heartbeat();
  }
}
