/**
 * Changes of a 389 Directory Server with the USN plug-in: each backend numbers its operations, also those that come by
 * replication, in the order in which it applies them; every entry bears the number of its last one as entryusn.
 *
 * The numbers are one server's own: another server, a backend that is new or gone, and a number that went back (a database
 * imported anew) are doubts. A backend that did not move has no changes, deletions included. Which backend holds a base is
 * nowhere to be read, so that of several the lowest number counts: right, and more to read than has changed.
 */
import type { Change, ChangesReport, Cursor } from '../source.js';
import type { ChangeReader, Reading } from './changes.js';
import { Containers } from './containers.js';
import { doubtful, readCursor, writeCursor } from './cursor.js';
import { allOf } from './filter.js';
import { childCounts, holdingOthers, listAll, readTouched } from './touched.js';

/** An operation has its number before it is to be seen: so many of the last are read again. */
const underWay = 100n;

type Backends = Readonly<Record<string, string>>;

export const usnReader: ChangeReader = { begin, changes };

/** Undefined where the plug-in is off, or lastusn is not to be read. */
async function begin(reading: Reading): Promise<Cursor | undefined> {
  const backends = lastUsns(reading);
  if (Object.keys(backends).length === 0) return undefined;
  const containers = new Containers('entryusn');
  const touched = allOf(since(backends), holdingOthers);
  for (const baseDn of new Set(reading.options.baseDns)) {
    for await (const page of reading.pages(baseDn, touched, ['entryusn', ...childCounts])) {
      for (const found of page) containers.see(found);
    }
  }
  return cursorOf(reading, backends, containers, true);
}

async function* changes(
  reading: Reading,
  cursor: Cursor,
): AsyncGenerator<readonly Change[], ChangesReport, void> {
  const old = readCursor(cursor);
  if (old?.by !== 'usn') return doubtful(reading, cursor, 'the cursor is none of entryusn');
  const { server } = reading.session;
  if (old.server !== server)
    return doubtful(reading, cursor, `the numbers in the cursor are those of ${old.server}`);
  const backends = lastUsns(reading);
  const moved = compare(old.backends, backends);
  if (typeof moved === 'string') return doubtful(reading, cursor, moved);
  const filter = since(old.backends);
  const containers = new Containers('entryusn');
  const touched = yield* readTouched(reading, {
    filter,
    attributes: ['entryusn'],
    see: (found) => containers.see(found),
    isKnown: (found) => containers.isAmong(found, old.containers),
  });
  const doubts = [...touched.doubts];
  // At rest there is nothing to list, unless deletions before it were never looked for.
  const list = reading.listing && (moved || !old.proved);
  if (list) doubts.push(...(yield* listAll(reading)));
  doubts.push(...reading.doubts());
  const certain = doubts.length === 0;
  const listed = list && certain;
  const proved = listed || (!moved && old.proved);
  return {
    doubts,
    cursor: cursorOf(reading, backends, containers, proved),
    proof: proved && certain,
    listed,
    description: `${reading.who}, ${String(touched.count)} objects touched since ${filter}`,
  };
}

/** Imported entries bear 0, all of them; the first operation after an import is 1. */
function since(backends: Backends): string {
  const last = Object.values(backends).map(BigInt).reduce(least);
  const lowest = last < 0n ? 0n : 1n;
  return `(entryusn>=${String(last - underWay < lowest ? lowest : last - underWay)})`;
}

function cursorOf(reading: Reading, backends: Backends, containers: Containers, proved: boolean): Cursor {
  const { server } = reading.session;
  return writeCursor({ by: 'usn', server, backends, proved, containers: containers.kept(() => true) });
}

/** Whether anything happened; text when the two cannot be compared. */
function compare(old: Backends, now: Backends): boolean | string {
  let moved = false;
  for (const backend of new Set([...Object.keys(old), ...Object.keys(now)])) {
    const [before, after] = [old[backend], now[backend]];
    if (before === undefined || after === undefined) return `the ${backend} is new, or gone`;
    const [was, is] = [BigInt(before), BigInt(after)];
    if (is < was) return `the ${backend} went back: was its database imported anew?`;
    moved ||= is > was;
  }
  return moved;
}

function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

/** `lastusn;userroot: 5`, or with nsslapd-entryusn-global one `lastusn` for all. */
function lastUsns(reading: Reading): Backends {
  const found = [...reading.facts.root].filter(([name]) => /^lastusn(;|$)/.test(name));
  return Object.fromEntries(
    found.flatMap(([name, [value = '']]) => (/^-?\d{1,19}$/.test(value) ? [[name, value]] : [])),
  );
}
