/** What a run makes of a source's changes, in a Map: entries by id, as a store would keep them. */
import type { Change, ChangesReport, Cursor, Entry, Problem, Source } from '../../src/source/source.js';
import { readWhole } from './read-source.js';

export interface ChangesRead {
  readonly changes: readonly Change[];
  readonly report: ChangesReport;
  readonly problems: readonly Problem[];
  /** Ids of the entries told, in order. */
  readonly told: readonly string[];
  readonly gone: readonly string[];
  readonly listed: ReadonlySet<string>;
}

export interface ChangesOptions {
  readonly listing?: boolean;
  readonly signal?: AbortSignal;
}

export async function readChanges(
  source: Source,
  cursor: Cursor | undefined,
  { listing = false, signal = new AbortController().signal }: ChangesOptions = {},
): Promise<ChangesRead> {
  if (source.changes === undefined || cursor === undefined) throw new Error('this source tells no changes');
  const changes: Change[] = [];
  const problems: Problem[] = [];
  const context = {
    signal,
    listing,
    problem: (one: Problem) => problems.push(one),
    progress: () => undefined,
  };
  const reading = source.changes(context, cursor);
  for (;;) {
    const step = await reading.next();
    if (step.done === true) {
      const told = changes.flatMap((one) => (one.kind === 'entry' ? [one.entry.id] : []));
      const gone = changes.flatMap((one) => (one.kind === 'gone' ? [one.id] : []));
      const listed = new Set(changes.flatMap((one) => (one.kind === 'listing' ? one.ids : [])));
      return { changes, report: step.value, problems, told, gone, listed };
    }
    changes.push(...step.value);
  }
}

/** Keeps what a source has told: read whole at first and on a doubt, otherwise by its changes. */
export class Follower {
  readonly entries = new Map<string, Entry>();
  cursor: Cursor | undefined;
  /** Whole reads so far. */
  wholeReads = 0;

  constructor(readonly source: Source) {}

  async readWhole(): Promise<void> {
    const { entries, report } = await readWhole(this.source);
    this.wholeReads += 1;
    this.entries.clear();
    for (const entry of entries) this.entries.set(entry.id, entry);
    this.cursor = report.cursor;
  }

  async follow(options: ChangesOptions = {}): Promise<ChangesRead> {
    const read = await readChanges(this.source, this.cursor, options);
    if (read.report.doubts.length > 0) await this.readWhole();
    else this.#apply(read);
    return read;
  }

  #apply({ changes, report, listed }: ChangesRead): void {
    for (const change of changes) {
      if (change.kind === 'entry') this.entries.set(change.entry.id, change.entry);
      if (change.kind === 'gone') this.entries.delete(change.id);
    }
    if (report.listed === true) {
      for (const id of this.entries.keys()) if (!listed.has(id)) this.entries.delete(id);
    }
    this.cursor = report.cursor;
  }

  addresses(): string[] {
    return addressesOf(this.entries.values());
  }
}

export function addressesOf(entries: Iterable<Entry>): string[] {
  return [...entries].flatMap((entry) => entry.addresses.map(({ value }) => value)).sort();
}
