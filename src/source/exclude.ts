/**
 * A source with addresses left out, whatever its kind: entries read, changed and found pass through here.
 *
 * Promises: a left-out address is to the sync as if the directory did not have it, so that leaving it out is a removal like
 * any other, under the guard; the report tells how many there were. When the exclusions themselves have changed since a
 * cursor, its changes are doubted and everything is read. Refuses to read at all when the file of exclusions cannot be used.
 */
import type { ProbeReport } from './probe.js';
import type {
  Change,
  ChangesReport,
  Cursor,
  Entry,
  FindContext,
  ReadContext,
  ReadReport,
  Source,
} from './source.js';
import { exclusionsLoader, type ExcludeOptions, type Exclusions } from './exclusions.js';

export type { ExcludeOptions } from './exclusions.js';

/** The source itself when nothing is left out. */
export function excluding(source: Source, options: ExcludeOptions): Source {
  if (options.patterns.length === 0 && options.file === undefined) return source;
  const load = exclusionsLoader(options);
  const { changes, find, close, probe } = bound(source);
  return {
    read: (context) => read(source, load, context),
    ...(changes && { changes: (context, cursor) => readChanges(changes, load, context, cursor) }),
    ...(find && { find: (address, context) => findOne(find, load, address, context) }),
    ...(close && { close }),
    ...(probe && { probe: (context) => probeOne(probe, load, context) }),
  };
}

/** What a source may have or not, as functions that stand alone. */
function bound(source: Source): Partial<Omit<Source, 'read'>> {
  return {
    ...(source.changes !== undefined && { changes: source.changes.bind(source) }),
    ...(source.find !== undefined && { find: source.find.bind(source) }),
    ...(source.close !== undefined && { close: source.close.bind(source) }),
    ...(source.probe !== undefined && { probe: source.probe.bind(source) }),
  };
}

async function* read(
  source: Source,
  load: () => Promise<Exclusions>,
  context: ReadContext,
): AsyncGenerator<readonly Entry[], ReadReport, void> {
  const sieve = new Sieve(await load());
  const reading = source.read(context);
  try {
    for (;;) {
      const step = await reading.next();
      if (step.done === true) return told(step.value, sieve);
      yield step.value.flatMap((entry) => sieve.entry(entry) ?? []);
    }
  } finally {
    // without effect on one that has ended; one that was left in the middle closes its connection
    await reading.return({ complete: false, reasons: [], description: '' });
  }
}

function told(report: ReadReport, sieve: Sieve): ReadReport {
  const cursor = report.cursor === undefined ? {} : { cursor: sealed(report.cursor, sieve.exclusions) };
  return { ...report, ...cursor, description: sieve.describe(report.description) };
}

type Changes = NonNullable<Source['changes']>;

async function* readChanges(
  changes: Changes,
  load: () => Promise<Exclusions>,
  context: ReadContext,
  cursor: Cursor,
): AsyncGenerator<readonly Change[], ChangesReport, void> {
  const sieve = new Sieve(await load());
  const inner = unsealed(cursor, sieve.exclusions);
  if (inner === undefined) {
    const doubts = ['what is left out (exclude) has changed since the last run'];
    return { doubts, cursor, proof: false, description: 'nothing was read' };
  }
  const reading = changes(context, inner);
  try {
    for (;;) {
      const step = await reading.next();
      if (step.done !== true) {
        yield step.value.map((change) => sieve.change(change));
        continue;
      }
      const report = step.value;
      const description = sieve.describe(report.description);
      return { ...report, cursor: sealed(report.cursor, sieve.exclusions), description };
    }
  } finally {
    await reading.return({ doubts: [], cursor: inner, proof: false, description: '' });
  }
}

async function findOne(
  find: NonNullable<Source['find']>,
  load: () => Promise<Exclusions>,
  address: string,
  context: FindContext,
): Promise<readonly Entry[]> {
  const exclusions = await load();
  if (exclusions.excludesInternal(address)) return [];
  const sieve = new Sieve(exclusions);
  return (await find(address, context)).flatMap((entry) => sieve.entry(entry) ?? []);
}

/** With the sample as a run would take it. */
async function probeOne(
  probe: NonNullable<Source['probe']>,
  load: () => Promise<Exclusions>,
  context: FindContext,
): Promise<ProbeReport> {
  const sieve = new Sieve(await load());
  const report = await probe(context);
  const sample = report.sample.flatMap((entry) => sieve.entry(entry) ?? []);
  const value = sieve.describe(`${String(sample.length)} of ${String(report.sample.length)} objects shown`);
  return { ...report, sample, facts: [...report.facts, { name: 'exclude', value }] };
}

/** Takes the left-out addresses from entries, and counts them. */
class Sieve {
  #leftOut = 0;

  constructor(readonly exclusions: Exclusions) {}

  /** The entry without them; undefined when nothing of it is left. */
  entry(entry: Entry): Entry | undefined {
    const addresses = entry.addresses.filter(({ value }) => !this.exclusions.excludes(value));
    const left = entry.addresses.length - addresses.length;
    if (left === 0) return entry;
    this.#leftOut += left;
    // a doubtful one goes on without an address too: what it had before is not taken for gone
    return addresses.length === 0 && entry.doubtful !== true ? undefined : { ...entry, addresses };
  }

  change(change: Change): Change {
    if (change.kind !== 'entry') return change;
    const entry = this.entry(change.entry);
    const { id, where } = change.entry;
    return entry === undefined ? { kind: 'gone', id, where } : { kind: 'entry', entry };
  }

  describe(description: string): string {
    if (this.#leftOut === 0) return description;
    const noun = this.#leftOut === 1 ? 'address' : 'addresses';
    return `${description}, ${String(this.#leftOut)} ${noun} left out by exclude`;
  }
}

/** A cursor with the fingerprint of the exclusions it was made under. */
function sealed(cursor: Cursor, { fingerprint }: Exclusions): Cursor {
  return `${fingerprint}/${cursor}`;
}

function unsealed(cursor: Cursor, { fingerprint }: Exclusions): Cursor | undefined {
  return cursor.startsWith(`${fingerprint}/`) ? cursor.slice(fingerprint.length + 1) : undefined;
}
