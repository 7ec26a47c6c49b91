/**
 * What touched objects are now: read whole with the filter, base and scope of a full read, so that a partial answer never becomes an
 * entry.
 *
 * Promises: `gone` only for what was seen, alive and none of the list, or as a tombstone. What is not to be seen at all is a
 * doubt.
 */
import { AndFilter, EqualityFilter, FilterParser, OrFilter, type Filter, type SearchEntry } from 'ldapts';
import type { Change } from '../../source.js';
import type { Reading } from '../changes.js';
import { guidBytes } from '../guid.js';
import { readPages } from '../pager.js';
import { guidOf, type Touch } from './touched.js';

const batchSize = 100;

export interface Lookups {
  /** Partitions in which an object that the filter does not find may still be seen. */
  readonly roots: readonly string[];
  /** Called with every object that was seen, also with those that do not match. */
  readonly onSeen: (entry: SearchEntry) => void;
  readonly doubt: (reason: string) => void;
}

export async function* changesOf(
  reading: Reading,
  touched: ReadonlyMap<string, Touch>,
  lookups: Lookups,
): AsyncGenerator<readonly Change[], void, void> {
  const guids = [...touched.keys()];
  for (let at = 0; at < guids.length; at += batchSize) {
    const batch = guids.slice(at, at + batchSize);
    const changes = await changesOfBatch(reading, touched, batch, lookups);
    reading.progress(Math.min(at + batchSize, guids.length), guids.length);
    if (changes.length > 0) yield changes;
  }
}

async function changesOfBatch(
  reading: Reading,
  touched: ReadonlyMap<string, Touch>,
  batch: readonly string[],
  lookups: Lookups,
): Promise<Change[]> {
  const bases = [...new Set(reading.options.baseDns)];
  const matching = await lookUp(reading, bases, batch, lookups);
  const missing = batch.filter((guid) => !matching.has(guid));
  const alive = missing.filter((guid) => touched.get(guid)?.deleted !== true);
  const seen = await lookUp(reading, lookups.roots, alive, lookups, 'anything');
  // Who came to match meanwhile, or was moved from a base not searched yet to one that was, is in the list all the same.
  const late = await lookUp(reading, bases, [...seen.keys()], lookups);
  const changes = await toChanges(reading, new Map([...matching, ...late]), lookups);
  for (const id of missing) {
    if (late.has(id)) continue;
    const where = seen.get(id)?.name ?? touched.get(id)?.where ?? id;
    if (seen.has(id) || touched.get(id)?.deleted === true) changes.push({ kind: 'gone', id, where });
    else lookups.doubt(`${where} has changed and is not to be seen any more`);
  }
  return changes;
}

async function toChanges(
  reading: Reading,
  matching: ReadonlyMap<string, SearchEntry>,
  lookups: Lookups,
): Promise<Change[]> {
  const { entries, doubts } = await reading.toEntries([...matching.values()]);
  doubts.forEach(lookups.doubt);
  const changes: Change[] = entries.map((entry) => ({ kind: 'entry', entry }));
  const listed = new Set(entries.map((entry) => entry.id));
  for (const [guid, { name }] of matching)
    if (!listed.has(guid)) changes.push({ kind: 'gone', id: guid, where: name }); // it has no address any more
  return changes;
}

async function lookUp(
  reading: Reading,
  bases: readonly string[],
  guids: readonly string[],
  lookups: Lookups,
  which: 'matching' | 'anything' = 'matching',
): Promise<Map<string, SearchEntry>> {
  const found = new Map<string, SearchEntry>();
  for (const baseDn of guids.length === 0 ? [] : bases) {
    const query = {
      ...reading.options,
      ...(which === 'anything' && { scope: 'sub' as const }),
      baseDn,
      filter: filterFor(guids, which === 'anything' ? undefined : reading.filter),
      attributes: which === 'anything' ? ['objectGUID', 'objectClass'] : reading.plan.request,
      paging: reading.facts.paging,
    };
    const doubt = (reasons: readonly string[]): void => reasons.forEach(lookups.doubt);
    for await (const page of readPages(reading.session, query, doubt)) {
      // References are of no account: what stands behind them is not found, and that is a doubt of its own.
      for (const entry of page.entries) {
        const guid = guidOf(entry);
        if (guid !== undefined) found.set(guid, entry);
        lookups.onSeen(entry);
      }
    }
  }
  return found;
}

function filterFor(guids: readonly string[], configured: string | undefined): Filter {
  const filters = guids.map(
    (guid) => new EqualityFilter({ attribute: 'objectGUID', value: guidBytes(guid) }),
  );
  const any = new OrFilter({ filters });
  if (configured === undefined) return any;
  return new AndFilter({ filters: [FilterParser.parseString(configured), any] });
}
