/** Reads the changes of a source to their end and keeps everything it said. */
import type { Change, ChangesReport, Cursor, Problem, Source } from '../../src/source/source.js';

export interface ChangesRead {
  /** All but listings. */
  readonly changes: readonly Change[];
  /** Of the entries. */
  readonly ids: readonly string[];
  /** Of the entries, those of each sorted as the source gave them. */
  readonly addresses: readonly (readonly string[])[];
  /** Ids of the listing. */
  readonly listed: readonly string[];
  readonly problems: readonly Problem[];
  readonly report: ChangesReport;
}

export async function readChanges(
  source: Source,
  cursor: Cursor | undefined,
  { listing = false }: { readonly listing?: boolean } = {},
): Promise<ChangesRead> {
  if (source.changes === undefined || cursor === undefined) throw new Error('this source tells no changes');
  const changes: Change[] = [];
  const listed: string[] = [];
  const problems: Problem[] = [];
  const reading = source.changes(
    {
      signal: new AbortController().signal,
      problem: (problem) => problems.push(problem),
      progress: () => undefined,
      listing,
    },
    cursor,
  );
  for (;;) {
    const step = await reading.next();
    if (step.done === true) {
      const entries = changes.flatMap((change) => (change.kind === 'entry' ? [change.entry] : []));
      return {
        changes,
        ids: entries.map(({ id }) => id),
        addresses: entries.map((entry) => entry.addresses.map(({ value }) => value)),
        listed,
        problems,
        report: step.value,
      };
    }
    for (const change of step.value) {
      if (change.kind === 'listing') listed.push(...change.ids);
      else changes.push(change);
    }
  }
}
