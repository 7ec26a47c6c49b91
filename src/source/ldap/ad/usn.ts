/**
 * Touched objects by uSNChanged: for servers and accounts that have no DirSync, the global catalog above all.
 *
 * The numbers are those of one database on one domain controller. So the cursor names both, and another one of either is a doubt:
 * a server that was restored, or the next one after a failover. highestCommittedUSN is read before the search: what is written
 * meanwhile comes (again) next time.
 */
import { FilterParser, PresenceFilter } from 'ldapts';
import { RollcallError } from '../../../errors.js';
import type { Reading } from '../changes.js';
import { guidText } from '../guid.js';
import { readPages } from '../pager.js';
import type { Session } from '../session.js';
import { besideCatalog } from './catalog.js';
import { ShowDeletedControl } from './controls.js';
import type { UsnCursor } from './cursor.js';
import { isGlobalCatalog } from './partitions.js';
import { seesTombstones } from './tombstones.js';
import { TouchedObjects, type Touched } from './touched.js';

/** Undefined when the server does not say which database it has. */
export async function beginUsn(reading: Reading, roots: readonly string[]): Promise<UsnCursor | undefined> {
  const [usn] = await rootDse(reading, 'highestCommittedUSN');
  const server = reading.facts.root.get('dsservicename')?.[0];
  const invocation = server === undefined ? undefined : await invocationOf(reading, server);
  if (usn === undefined || !/^\d{1,20}$/.test(usn) || server === undefined || invocation === undefined)
    return undefined;
  return { version: 1, way: 'usn', server, invocation, roots: [...roots], usn };
}

export async function touchedByUsn(
  reading: Reading,
  roots: readonly string[],
  cursor: UsnCursor,
  limit: number,
): Promise<Touched> {
  const now = await beginUsn(reading, roots);
  const doubt = now === undefined ? 'the server no longer names its database' : unlike(cursor, now);
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

/** Why the numbers of `before` mean nothing now. */
function unlike(before: UsnCursor, now: UsnCursor): string | undefined {
  if (before.server !== now.server)
    return `another domain controller answers: ${now.server}, not ${before.server}`;
  if (before.invocation !== now.invocation)
    return `${now.server} has another database (invocationId): it was restored or promoted again`;
  if (before.roots.join('\n') !== now.roots.join('\n')) return 'other partitions are to be read';
  if (BigInt(before.usn) > BigInt(now.usn)) return `highestCommittedUSN of ${now.server} went back`;
  return undefined;
}

async function search(
  reading: Reading,
  root: string,
  usn: string,
  touched: TouchedObjects,
): Promise<readonly string[]> {
  const pages = readPages(reading.session, {
    ...reading.options,
    baseDn: root,
    scope: 'sub',
    filter: FilterParser.parseString(`(uSNChanged>=${String(BigInt(usn) + 1n)})`),
    attributes: ['objectGUID', 'isDeleted'],
    paging: reading.facts.paging,
    controls: [new ShowDeletedControl()],
  });
  try {
    for (;;) {
      const page = await pages.next();
      if (page.done === true) return page.value.doubts;
      touched.add(page.value.entries);
      if (touched.tooMany) return [];
    }
  } catch (error) {
    if (reading.session.lost || !(error instanceof RollcallError)) throw error;
    return [error.message];
  }
}

async function rootDse(reading: Reading, attribute: string): Promise<readonly string[]> {
  const answer = await reading.session.search({
    baseDN: '',
    scope: 'base',
    filter: new PresenceFilter({ attribute: 'objectClass' }),
    attributes: [attribute],
    timeLimit: reading.options.timeLimitSeconds,
  });
  return answer.searchEntries[0]?.attributes[0]?.values.map(String) ?? [];
}

/** The id of the database behind this server: a new one after every restore (MS-ADTS 3.1.1.1.9). */
async function invocationOf(reading: Reading, server: string): Promise<string | undefined> {
  const ask = (session: Session): Promise<string | undefined> =>
    invocationBy(session, server, reading.options.timeLimitSeconds);
  if (!isGlobalCatalog(reading)) return ask(reading.session);
  const beside = await besideCatalog(reading, ask);
  return 'answer' in beside ? beside.answer : undefined;
}

async function invocationBy(
  session: Session,
  server: string,
  timeLimitSeconds: number,
): Promise<string | undefined> {
  const answer = await session.search({
    baseDN: server,
    scope: 'base',
    filter: new PresenceFilter({ attribute: 'objectClass' }),
    attributes: ['invocationId'],
    timeLimit: timeLimitSeconds,
    returnAttributeValues: true,
  });
  if (answer.status !== 0) return undefined;
  return guidText(answer.searchEntries[0]?.attributes[0]?.parsedBuffers[0]);
}
