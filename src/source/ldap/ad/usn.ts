/**
 * Touched objects by uSNChanged: for servers and accounts that have no DirSync, the global catalog above all.
 *
 * The numbers are those of one database on one domain controller. So the cursor names both, and another one of either is a doubt:
 * a server that was restored, or the next one after a failover. highestCommittedUSN is read before the search: what is written
 * meanwhile comes (again) next time.
 */
import { FilterParser } from 'ldapts';
import { RollcallError } from '../../../errors.js';
import type { Reading } from '../changes.js';
import { readPages } from '../pager.js';
import { ShowDeletedControl } from './controls.js';
import type { UsnCursor } from './cursor.js';
import { databaseOf, unlike } from './database.js';
import { seesTombstones } from './tombstones.js';
import { TouchedObjects, type Touched } from './touched.js';

/** Undefined when the server does not say which database it has. */
export async function beginUsn(reading: Reading, roots: readonly string[]): Promise<UsnCursor | undefined> {
  const database = await databaseOf(reading);
  if (database === undefined || database.invocation === '') return undefined;
  return { version: 1, way: 'usn', ...database, roots: [...roots] };
}

export async function touchedByUsn(
  reading: Reading,
  roots: readonly string[],
  cursor: UsnCursor,
  limit: number,
): Promise<Touched> {
  const now = await beginUsn(reading, roots);
  const doubt =
    unlike(cursor, now) ?? (sameRoots(cursor, roots) ? undefined : 'other partitions are to be read');
  if (now === undefined || doubt !== undefined)
    return { objects: new Map(), doubts: [doubt ?? ''], cursor: now ?? cursor, deletionsSeen: false };
  const touched = new TouchedObjects(limit);
  const doubts: string[] = [];
  for (const root of roots) doubts.push(...(await search(reading, root, cursor.usn, touched)));
  return {
    objects: touched.objects,
    doubts: [...doubts, ...touched.doubts()],
    cursor: now,
    deletionsSeen: await seesTombstones(reading, roots),
  };
}

function sameRoots(cursor: UsnCursor, roots: readonly string[]): boolean {
  return cursor.roots.join('\n') === roots.join('\n');
}

async function search(
  reading: Reading,
  root: string,
  usn: string,
  touched: TouchedObjects,
): Promise<readonly string[]> {
  const doubts: string[] = [];
  const query = {
    ...reading.options,
    baseDn: root,
    scope: 'sub' as const,
    filter: FilterParser.parseString(`(uSNChanged>=${String(BigInt(usn) + 1n)})`),
    attributes: ['objectGUID', 'isDeleted'],
    paging: reading.facts.paging,
    controls: [new ShowDeletedControl()],
  };
  try {
    for await (const page of readPages(reading.session, query, (reasons) => doubts.push(...reasons))) {
      touched.add(page.entries);
      if (touched.tooMany) break;
    }
    return doubts;
  } catch (error) {
    if (reading.session.lost || !(error instanceof RollcallError)) throw error;
    return [error.message];
  }
}
