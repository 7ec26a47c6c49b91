/**
 * Touched objects by the DirSync control (MS-ADTS 3.1.1.3.4.1.3): those of which an attribute that matters here was written.
 *
 * With "Replicating Directory Changes" it tells of everything (flags 0); without that right of what this account can read
 * (flag 1). Another domain controller would take the cookie too, and miss nothing of its own; but it may lag behind the one that
 * was read, and then it knows less of an object than we do. So the cursor names the database, and another one is a doubt, as
 * every refusal by the server is.
 */
import { FilterParser, type SearchEntry } from 'ldapts';
import type { Reading } from '../changes.js';
import { explainResult } from '../explain.js';
import { attributesIn } from '../filter.js';
import { DirSyncControl, objectSecurity, type DirSyncAnswer } from './controls.js';
import type { DirSyncCursor } from './cursor.js';
import { databaseOf, unlike } from './database.js';
import { seesTombstones } from './tombstones.js';
import { TouchedObjects, type Touched } from './touched.js';

const everything = '(objectClass=*)';
/** Matches nothing: the server walks through all it has and sends only the cookie at its end. */
const nothing = '(!(objectClass=*))';
const maxRounds = 20_000;

/** Cookies of now; undefined when this server or this account does without DirSync. */
export async function beginDirSync(
  reading: Reading,
  roots: readonly string[],
): Promise<DirSyncCursor | undefined> {
  const database = await databaseOf(reading);
  if (database === undefined) return undefined;
  for (const flags of [0, objectSecurity]) {
    const cookies = await cookiesOfNow(reading, roots, flags);
    if (cookies !== undefined) return { version: 1, way: 'dirsync', ...database, flags, cookies };
  }
  return undefined;
}

async function cookiesOfNow(
  reading: Reading,
  roots: readonly string[],
  flags: number,
): Promise<DirSyncCursor['cookies'] | undefined> {
  const cookies: DirSyncCursor['cookies'] = [];
  for (const root of roots) {
    const end = await follow(reading, { root, flags, filter: nothing, cookie: Buffer.alloc(0) }, () => true);
    if (typeof end === 'string') return undefined;
    cookies.push({ root, cookie: end.toString('base64') });
  }
  return cookies;
}

export async function touchedByDirSync(
  reading: Reading,
  roots: readonly string[],
  cursor: DirSyncCursor,
  limit: number,
): Promise<Touched> {
  const { flags } = cursor;
  const now = await databaseOf(reading);
  const doubt = unlike(cursor, now);
  if (now === undefined || doubt !== undefined)
    return { objects: new Map(), doubts: [doubt ?? ''], cursor, deletionsSeen: false };
  const touched = new TouchedObjects(limit);
  const doubts: string[] = [];
  const cookies: DirSyncCursor['cookies'] = [];
  for (const root of roots) {
    const before = cursor.cookies.find((known) => known.root === root)?.cookie;
    if (before === undefined) doubts.push(`no cookie for ${root}`);
    if (before === undefined) continue;
    const query = { root, flags, filter: everything, cookie: Buffer.from(before, 'base64') };
    const end = await follow(reading, query, (entries) => {
      touched.add(entries);
      return !touched.tooMany;
    });
    if (typeof end === 'string') doubts.push(`DirSync of ${root}: ${end}`);
    cookies.push({ root, cookie: typeof end === 'string' ? before : end.toString('base64') });
  }
  return {
    objects: touched.objects,
    doubts: [...doubts, ...touched.doubts()],
    cursor: { ...cursor, ...now, cookies: cookies.length === 0 ? cursor.cookies : cookies },
    deletionsSeen: await dirSyncSeesDeletions(reading, roots, flags),
  };
}

interface DirSyncQuery {
  readonly root: string;
  readonly flags: number;
  readonly filter: string;
  readonly cookie: Buffer;
}

/**
 * Round after round until the server has no more (a round may be empty), or `take` wants no more. The last cookie, or why there is
 * none.
 */
async function follow(
  reading: Reading,
  query: DirSyncQuery,
  take: (entries: readonly SearchEntry[]) => boolean,
): Promise<Buffer | string> {
  let { cookie } = query;
  for (let round = 0; round < maxRounds; round += 1) {
    const answer = await ask(reading, query, cookie);
    if (typeof answer === 'string') return answer;
    cookie = answer.cookie;
    if (!take(answer.entries) || !answer.more) return cookie;
  }
  return `no end after ${String(maxRounds)} rounds`;
}

async function ask(
  reading: Reading,
  query: DirSyncQuery,
  cookie: Buffer,
): Promise<(DirSyncAnswer & { entries: readonly SearchEntry[] }) | string> {
  const control = new DirSyncControl({ flags: query.flags, cookie });
  const answer = await reading.session.search({
    baseDN: query.root,
    scope: 'sub', // the only one that DirSync takes, and only below the root of a partition
    filter: FilterParser.parseString(query.filter),
    attributes: watched(reading),
    timeLimit: reading.options.timeLimitSeconds,
    returnAttributeValues: true,
    controls: [control],
  });
  if (answer.status !== 0) return explainResult(answer.status, answer.errorMessage).text;
  if (control.answer === undefined) return 'the server gave no cookie';
  return { ...control.answer, entries: answer.searchEntries };
}

/**
 * Attributes whose change matters, because DirSync tells of no others: what is read, what the filter asks for, `name` for
 * renames and moves, `isDeleted` for deletions.
 */
function watched(reading: Reading): string[] {
  const names = [
    ...reading.plan.request,
    ...attributesIn(reading.filter),
    ...['objectClass', 'objectGUID', 'name', 'isDeleted'],
  ];
  // the change behind a change of memberOf is one of a group's member
  const stored = names.map((name) => (name.toLowerCase() === 'memberof' ? 'member' : name));
  return [...new Map(stored.map((name) => [name.toLowerCase(), name])).values()];
}

/** With the right, DirSync tells of tombstones that the account could not read otherwise; Samba's does not. */
export async function dirSyncSeesDeletions(
  reading: Reading,
  roots: readonly string[],
  flags: number,
): Promise<boolean> {
  const isSamba = reading.facts.root.get('vendorname')?.some((name) => /samba/i.test(name)) ?? false;
  if (flags === 0 && !isSamba) return true;
  return seesTombstones(reading, roots);
}
