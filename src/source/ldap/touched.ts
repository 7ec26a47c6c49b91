/**
 * The objects that were touched since some mark, as changes: two searches, and a third below containers.
 *
 * First the ids of all that was touched below the bases, whatever it is now; then, whole, those of them that match the
 * configured filter. What was in the first and not in the second was seen and is none of the list any more. The order
 * matters: the other way round, what came in between would be taken for gone. A container that was touched may have been
 * moved here with everything below it, which then bears no new mark: what it holds is read too.
 * Refuses to hold more than 100,000 ids: then a whole read is the shorter way, and that is a doubt.
 */
import type { SearchEntry } from 'ldapts';
import type { Change, Entry } from '../source.js';
import { firstValue, sameDn } from './attribute.js';
import type { Reading } from './changes.js';
import { allOf } from './filter.js';

const maxTouched = 100_000;
const maxContainers = 100;
const maxBatch = 1000;

export interface Touched {
  /** How many objects were touched. */
  readonly count: number;
  readonly doubts: readonly string[];
}

export interface Mark {
  /** Matches what was touched since. */
  readonly filter: string;
  /** Attributes that `see` wants of everything touched. */
  readonly attributes: readonly string[];
  readonly see: (found: SearchEntry) => void;
  /** A container that was read below since it was touched like this. */
  readonly isKnown: (container: SearchEntry) => boolean;
}

/** Yields the changes; returns what keeps them from being all. `afterIds` runs when the first search is over. */
export async function* readTouched(
  reading: Reading,
  mark: Mark,
  afterIds: () => void = () => undefined,
): AsyncGenerator<readonly Change[], Touched, void> {
  const first = await touchedIds(reading, mark);
  afterIds();
  const count = first.left.size;
  if (first.doubt !== undefined) return { count, doubts: [first.doubt] };
  const now = allOf(mark.filter, reading.filter);
  for (const baseDn of bases(reading)) yield* matching(reading, baseDn, now, first.left);
  // Who was moved from a base not searched yet to one that was is in neither search: those left are looked for once more.
  if (bases(reading).size > 1 && first.left.size > 0)
    for (const baseDn of bases(reading)) yield* matching(reading, baseDn, now, first.left);
  for (const dn of first.containers) yield* matching(reading, dn, reading.filter, first.left);
  yield* inBatches([...first.left].map(([id, where]) => ({ kind: 'gone', id, where })));
  return { count, doubts: [] };
}

interface Ids {
  /** DN by id: what no later search has shown to match. */
  readonly left: Map<string, string>;
  readonly containers: readonly string[];
  readonly doubt?: string;
}

async function touchedIds(reading: Reading, mark: Mark): Promise<Ids> {
  const left = new Map<string, string>();
  const containers: string[] = [];
  const wanted = [reading.plan.id, ...childCounts, ...mark.attributes];
  const tooMany = (what: string): Ids => ({ left, containers, doubt: `${what} were touched` });
  for (const baseDn of bases(reading)) {
    for await (const page of reading.pages(baseDn, mark.filter, wanted)) {
      for (const found of page) {
        mark.see(found);
        const id = reading.idOf(found);
        if (id !== undefined) left.set(id, found.name);
        if (mayHaveBroughtOthers(reading, mark, found)) containers.push(found.name);
      }
      if (left.size > maxTouched) return tooMany(`more than ${String(maxTouched)} objects`);
      if (containers.length > maxContainers) return tooMany(`more than ${String(maxContainers)} containers`);
    }
  }
  const base = containers.find((dn) => reading.options.baseDns.some((baseDn) => sameDn(dn, baseDn)));
  if (base !== undefined) return tooMany(`${base} itself, and so perhaps all below it,`);
  for (const dn of containers) {
    // Somebody may have lost the last address while the container was elsewhere.
    for await (const page of reading.pages(dn, '(objectClass=*)', [reading.plan.id])) {
      for (const found of page) {
        const id = reading.idOf(found);
        if (id !== undefined) left.set(id, found.name);
      }
      if (left.size > maxTouched) return tooMany(`more than ${String(maxTouched)} objects`);
    }
  }
  return { left, containers };
}

function mayHaveBroughtOthers(reading: Reading, mark: Mark, found: SearchEntry): boolean {
  return reading.options.scope === 'sub' && holdsOthers(found) && !mark.isKnown(found);
}

/** Attributes for `holdsOthers`: hasSubordinates is of X.501 and OpenLDAP, numSubordinates of 389-ds. */
export const childCounts = ['hasSubordinates', 'numSubordinates'] as const;

/** The same as a filter. */
export const holdingOthers = '(|(hasSubordinates=TRUE)(numSubordinates>=1))';

export function holdsOthers(found: SearchEntry): boolean {
  const many = Number(firstValue(found, 'numSubordinates') ?? '0');
  return firstValue(found, 'hasSubordinates')?.toUpperCase() === 'TRUE' || many > 0;
}

async function* matching(
  reading: Reading,
  baseDn: string,
  filter: string,
  left: Map<string, string>,
): AsyncGenerator<readonly Change[], void, void> {
  let done = 0;
  for await (const found of reading.pages(baseDn, filter)) {
    const { entries } = await reading.toEntries(found);
    done += found.length;
    reading.progress(done);
    const told = new Map(entries.map((entry) => [entry.id, entry]));
    for (const one of found) {
      const id = reading.idOf(one);
      if (id === undefined) continue;
      left.delete(id);
      // It matches and has no usable address: a listing will name it all the same.
      if (!told.has(id)) told.set(id, without(id, one.name));
    }
    yield* inBatches([...told.values()].map((entry) => ({ kind: 'entry', entry })));
  }
}

function without(id: string, where: string): Entry {
  return { id, kind: 'other', disabled: false, internalOnly: false, addresses: [], where };
}

/** The ids of all that matches now: what was never among them is gone, when the report says that it was listed. */
export async function* listAll(reading: Reading): AsyncGenerator<readonly Change[], readonly string[], void> {
  const doubts: string[] = [];
  for (const baseDn of bases(reading)) {
    let listed = 0;
    for await (const page of reading.pages(baseDn, reading.filter, [reading.plan.id])) {
      const ids = page.map((found) => reading.idOf(found)).filter((id) => id !== undefined);
      listed += ids.length;
      for (let at = 0; at < ids.length; at += maxBatch)
        yield [{ kind: 'listing', ids: ids.slice(at, at + maxBatch) }];
    }
    // A base that this account may no longer see looks just like an empty one.
    if (listed === 0) doubts.push(`${baseDn} listed no object`);
  }
  return doubts;
}

function bases(reading: Reading): ReadonlySet<string> {
  return new Set(reading.options.baseDns);
}

function* inBatches(changes: readonly Change[]): Generator<readonly Change[], void, void> {
  for (let at = 0; at < changes.length; at += maxBatch) yield changes.slice(at, at + maxBatch);
}
