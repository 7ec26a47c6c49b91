/**
 * Changes by modifyTimestamp, for servers that have nothing better.
 *
 * The mark is a modifyTimestamp that the server has shown before a read, the greatest or close to it, less an overlap for
 * changes that were under way or came late by replication; never our own clock, which only keeps entries dated in the future
 * from being the mark. Deletions leave no trace: they need a listing. Another server than last time is a doubt; so is one that has
 * nothing as new as last time (a restored backup, a clock put back).
 */
import type { SearchEntry } from 'ldapts';
import type { Change, ChangesReport, Cursor } from '../source.js';
import { firstValue } from './attribute.js';
import type { ChangeReader, Reading } from './changes.js';
import { Containers } from './containers.js';
import { doubtful, readCursor, writeCursor, type LdapCursor } from './cursor.js';
import { allOf } from './filter.js';
import { formatGeneralizedTime, parseGeneralizedTime } from './generalized-time.js';
import { childCounts, holdingOthers, listAll, readTouched } from './touched.js';

const hour = 3_600_000;
/** How far back the newest object is looked for, until there is one. */
const lookBack = [hour, 24 * hour, 30 * 24 * hour, Infinity];

type TimeCursor = Extract<LdapCursor, { by: 'time' }>;

/** `overlapMs`: how late a change may still come to be seen with an older time. */
export function timestampReader(overlapMs: number): ChangeReader {
  return {
    begin: (reading) => begin(reading, overlapMs),
    changes: (reading, cursor) => changes(reading, cursor, overlapMs),
  };
}

async function begin(reading: Reading, overlapMs: number): Promise<Cursor | undefined> {
  const newest = await newestShown(reading, overlapMs);
  if (newest === undefined) return undefined;
  const touched = allOf(since(newest - overlapMs), holdingOthers);
  const { seen } = await look(reading, touched, childCounts, Infinity);
  return seen.cursor(reading, newest, await over(reading, newest, seen.newest));
}

/** A time before which no change will be dated any more: that of something newer than all containers, if there is such. */
async function over(reading: Reading, newest: number, containers: number | undefined): Promise<number> {
  if (containers === undefined || containers < newest) return newest;
  const { seen } = await glance(reading, containers + 1000);
  return Math.max(containers, seen.newest ?? containers);
}

/**
 * The greatest modifyTimestamp, or one not more than `nearMs` below it: that serves as well, and is found without a look at all
 * that is new, which after a bulk load is everything.
 */
async function newestShown(reading: Reading, nearMs: number): Promise<number | undefined> {
  const now = Date.now();
  let above = now;
  for (const back of lookBack) {
    const { seen, all } = await glance(reading, now - back);
    if (seen.newest !== undefined) return all ? seen.newest : closer(reading, seen.newest, above, nearMs);
    above = now - back;
  }
  return undefined;
}

/** Between a modifyTimestamp that is there and a time later than all, until the two are near each other. */
async function closer(reading: Reading, newest: number, above: number, nearMs: number): Promise<number> {
  while (above - newest > nearMs) {
    const middle = (newest + above) / 2;
    const { seen } = await glance(reading, middle);
    if (seen.newest === undefined || seen.newest <= newest) above = middle;
    else newest = seen.newest;
  }
  return newest;
}

function glance(reading: Reading, from: number): Promise<Look> {
  const filter = Number.isFinite(from) ? since(from) : '(modifyTimestamp=*)';
  return look(reading, filter, [], reading.options.pageSize);
}

interface Look {
  readonly seen: Sighting;
  /** Nothing more matches. */
  readonly all: boolean;
}

/** At what matches: in each base at so many, and the rest of their page. */
async function look(
  reading: Reading,
  filter: string,
  attributes: readonly string[],
  enough: number,
): Promise<Look> {
  const seen = new Sighting();
  let all = true;
  for (const baseDn of new Set(reading.options.baseDns)) {
    let left = enough;
    for await (const page of reading.pages(baseDn, filter, ['modifyTimestamp', ...attributes])) {
      page.forEach(seen.see);
      left -= page.length;
      if (left > 0) continue;
      all = false;
      break;
    }
  }
  return { seen, all };
}

async function* changes(
  reading: Reading,
  cursor: Cursor,
  overlapMs: number,
): AsyncGenerator<readonly Change[], ChangesReport, void> {
  const old = readCursor(cursor);
  if (old?.by !== 'time') return doubtful(reading, cursor, 'the cursor is none of modifyTimestamp');
  if (old.server !== reading.session.server)
    return doubtful(reading, cursor, `the times in the cursor are those of ${old.server}`);
  const from = old.newest - overlapMs;
  const sighting = new Sighting();
  const begun = performance.now();
  let took = 0;
  const mark = {
    filter: since(from),
    attributes: ['modifyTimestamp'],
    see: sighting.see,
    isKnown: (container: SearchEntry) => sighting.containers.isAmong(container, old.containers),
  };
  const touched = yield* readTouched(reading, mark, () => (took = performance.now() - begun));
  const doubts = [...touched.doubts, ...lost(sighting, old)];
  if (reading.listing) doubts.push(...(yield* listAll(reading)));
  doubts.push(...reading.doubts());
  // What changed behind a search that took long is older than what the search saw last.
  const reached = took > overlapMs / 2 ? old.newest : Math.max(old.newest, sighting.newest ?? 0);
  return {
    doubts,
    cursor: sighting.cursor(reading, reached),
    proof: false,
    listed: reading.listing && doubts.length === 0,
    description: `${reading.who}, ${String(touched.count)} objects touched since ${formatGeneralizedTime(from)}`,
  };
}

function lost(sighting: Sighting, old: TimeCursor): string[] {
  if ((sighting.newest ?? 0) >= old.newest) return [];
  return [`nothing is as new as ${formatGeneralizedTime(old.newest)} any more: is it a restored backup?`];
}

/** What a search has shown: the greatest modifyTimestamp, and containers with theirs. */
class Sighting {
  /** One in the future would hide every change until then, and is left out. */
  newest: number | undefined;
  readonly containers = new Containers('modifyTimestamp');
  readonly #now = Date.now();

  readonly see = (found: SearchEntry): void => {
    const time = parseGeneralizedTime(firstValue(found, 'modifyTimestamp') ?? '');
    this.containers.see(found);
    if (time === undefined || time > this.#now) return;
    if (this.newest === undefined || time > this.newest) this.newest = time;
  };

  /** `until`: no change will be dated before it any more. */
  cursor(reading: Reading, newest: number, until = newest): Cursor {
    const containers = this.containers.kept((mark) => (parseGeneralizedTime(mark) ?? until) < until);
    return writeCursor({ by: 'time', server: reading.session.server, newest, containers });
  }
}

function since(time: number): string {
  return `(modifyTimestamp>=${formatGeneralizedTime(time)})`;
}
