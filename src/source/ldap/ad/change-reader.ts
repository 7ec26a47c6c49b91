/**
 * Changes of an Active Directory: by DirSync where server and account allow it, else by uSNChanged.
 *
 * Promises: nothing is told that was not read whole; an OU that moved, a group on which the filter depends, an object that is not
 * to be seen any more and every complaint of the server end in a doubt. `proof` only where deletions would have been seen.
 */
import type { SearchEntry } from 'ldapts';
import type { Change, ChangesReport, Cursor } from '../../source.js';
import type { ChangeReader, Reading } from '../changes.js';
import { listAll } from '../touched.js';
import { doubtsOfCatalog } from './catalog.js';
import { readCursor, writeCursor, type AdCursor } from './cursor.js';
import { beginDirSync, dirSyncSeesDeletions, touchedByDirSync } from './dirsync.js';
import { changesOf } from './objects.js';
import { isGlobalCatalog, partitionsOf, takesPartitionsWhole } from './partitions.js';
import { seesTombstones } from './tombstones.js';
import type { Touched } from './touched.js';
import { beginUsn, touchedByUsn } from './usn.js';

const maxDoubts = 10;

export function adChanges({ limit = 20_000 }: { readonly limit?: number } = {}): ChangeReader {
  return { lacks, begin, seesDeletions, changes: (reading, cursor) => changes(reading, cursor, limit) };
}

async function lacks(reading: Reading): Promise<readonly string[]> {
  return isGlobalCatalog(reading) ? doubtsOfCatalog(reading) : [];
}

async function begin(reading: Reading): Promise<Cursor | undefined> {
  const roots = partitionsOf(reading);
  if (roots === undefined || !isKnownByGuid(reading)) return undefined;
  const cursor =
    (isGlobalCatalog(reading) ? undefined : await beginDirSync(reading, roots)) ??
    (await beginUsn(reading, roots));
  return cursor === undefined ? undefined : writeCursor(cursor);
}

async function seesDeletions(reading: Reading, text: Cursor): Promise<boolean> {
  const cursor = readCursor(text);
  const roots = partitionsOf(reading) ?? [];
  return cursor?.way === 'dirsync'
    ? dirSyncSeesDeletions(reading, roots, cursor.flags)
    : seesTombstones(reading, roots);
}

async function* changes(
  reading: Reading,
  text: Cursor,
  limit: number,
): AsyncGenerator<readonly Change[], ChangesReport, void> {
  const cursor = readCursor(text);
  const roots = partitionsOf(reading);
  if (cursor === undefined || roots === undefined || !isKnownByGuid(reading))
    return inDoubt(reading, text, ['the cursor is none of this source']);
  const touched = await touchedSince(reading, roots, cursor, limit);
  // Nothing is told from what is in doubt already: everything will be read.
  if (touched.doubts.length > 0) return inDoubt(reading, writeCursor(touched.cursor), touched.doubts);
  const doubts = new Set<string>();
  const doubt = (reason: string): void => {
    if (doubts.size < maxDoubts) doubts.add(reason);
  };
  const onSeen = watcher(reading, roots, doubt);
  yield* changesOf(reading, touched.objects, { roots, onSeen, doubt });
  const list = reading.listing && !touched.deletionsSeen && doubts.size === 0;
  if (list) [...(yield* listAll(reading)), ...reading.doubts()].forEach(doubt);
  const certain = doubts.size === 0;
  const listed = list && certain;
  const way = cursor.way === 'usn' ? 'uSNChanged' : 'DirSync';
  return {
    doubts: [...doubts],
    cursor: writeCursor(touched.cursor),
    proof: certain && (listed || touched.deletionsSeen),
    listed,
    description: [
      `${reading.who}, ${String(touched.objects.size)} objects touched (${way})`,
      ...(touched.deletionsSeen || listed ? [] : ['no sign that this account sees deletions']),
    ].join(', '),
  };
}

function touchedSince(
  reading: Reading,
  roots: readonly string[],
  cursor: AdCursor,
  limit: number,
): Promise<Touched> {
  return cursor.way === 'usn'
    ? touchedByUsn(reading, roots, cursor, limit)
    : touchedByDirSync(reading, roots, cursor, limit);
}

function inDoubt(reading: Reading, cursor: Cursor, doubts: readonly string[]): ChangesReport {
  return { doubts, cursor, proof: false, description: reading.who };
}

/** Tombstones keep objectGUID, and no other id for certain. */
function isKnownByGuid(reading: Reading): boolean {
  return reading.plan.id.toLowerCase() === 'objectguid';
}

const containers = new Set([
  ...['organizationalunit', 'container', 'builtindomain', 'domain'],
  ...['organization', 'locality', 'country'],
]);

/** Notices objects whose change changes others that are not touched themselves. */
function watcher(
  reading: Reading,
  roots: readonly string[],
  doubt: (reason: string) => void,
): (entry: SearchEntry) => void {
  const whole = takesPartitionsWhole(reading, roots);
  const byGroup = /\(\s*memberOf\b/i.test(reading.filter);
  return (entry) => {
    const classes = entry.attributes.find(({ type }) => type.toLowerCase() === 'objectclass')?.values ?? [];
    const names = classes.map((name) => String(name).toLowerCase());
    if (!whole && names.some((name) => containers.has(name)))
      doubt(`${entry.name} has changed, and with it perhaps what stands below baseDn`);
    if (byGroup && names.includes('group'))
      doubt(`the group ${entry.name} has changed, and the filter asks for members of groups`);
  };
}
