/**
 * Reads what has changed since a cursor into staging: each changed object whole, gone ones without claims.
 *
 * Promises: the last state of an object counts, however often it comes. Throws what the source throws: then nothing of the read
 * counts.
 */
import type { Change, ChangesReport, Cursor, Entry, Problem, Source } from '../source/source.js';
import type { Staging } from '../store/sqlite/staging.js';
import { claimsOf } from './claims.js';
import type { Scope } from './scope.js';
import { Tally } from './tally.js';

export interface ReadChangesOptions {
  readonly source: Required<Pick<Source, 'changes'>>;
  readonly cursor: Cursor;
  /** Asks for the ids of all objects as well. */
  readonly listing: boolean;
  readonly scope: Scope;
  readonly staging: Staging;
  readonly signal: AbortSignal;
  readonly progress: (done: number, total?: number) => void;
  /** Called after each batch; throws when the run must stop. */
  readonly heartbeat: () => void;
  readonly maxProblems: number;
}

export interface ReadChanges {
  /** Changed objects, each time they came. */
  readonly read: number;
  readonly skipped: number;
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
  readonly report: ChangesReport;
}

export async function readChanges(options: ReadChangesOptions): Promise<ReadChanges> {
  const tally = new Tally(options.maxProblems);
  const reader = options.source.changes(
    {
      signal: options.signal,
      progress: options.progress,
      listing: options.listing,
      problem: (problem) => {
        tally.problem(problem);
      },
    },
    options.cursor,
  );
  for (;;) {
    const step = await reader.next();
    if (step.done === true) {
      const { read, skipped, problems } = tally;
      return { read, skipped, problems, notes: tally.notes(), report: step.value };
    }
    for (const change of step.value) stageChange(change, options, tally);
    options.heartbeat();
  }
}

function stageChange(change: Change, { staging, scope }: ReadChangesOptions, tally: Tally): void {
  if (change.kind === 'listing') {
    staging.addListed(change.ids);
    return;
  }
  tally.read += 1;
  if (change.kind === 'gone') staging.change(change.id, [], false);
  else stageEntry(change.entry, staging, scope, tally);
}

export function stageEntry(entry: Entry, staging: Staging, scope: Scope, tally: Tally): void {
  const { claims, doubtful } = claimsOf(entry, scope, tally);
  staging.change(entry.id, claims, doubtful);
}
