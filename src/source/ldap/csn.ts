/**
 * Changes of an OpenLDAP that keeps contextCSN (syncprov, or a replica by syncrepl): every change moves the CSN of the server
 * that it was made on (its SID), also on replicas, and every object bears the CSN of its last change as entryCSN.
 *
 * Promises: a SID that did not move has no changes, so that a cursor at rest proves that nothing happened at all, deletions
 * included; whatever moved is searched from the oldest CSN that moved. A SID that vanished, went back or is new is a doubt;
 * so is a contextCSN that stays behind what objects bear: nobody keeps it.
 */
import type { SearchEntry } from 'ldapts';
import type { Change, ChangesReport, Cursor } from '../source.js';
import { firstValue, readValues, suffixOf } from './attribute.js';
import type { ChangeReader, Reading } from './changes.js';
import { doubtful, readCursor, writeCursor } from './cursor.js';
import { escapeValue } from './filter.js';
import { listAll, readTouched } from './touched.js';

type BySid = Readonly<Record<string, string>>;
type Contexts = Readonly<Record<string, BySid>>;

export const csnReader: ChangeReader = { begin, changes };

/** Undefined where contextCSN is not to be read for every base. */
async function begin(reading: Reading): Promise<Cursor | undefined> {
  const contexts = await readContexts(reading);
  return contexts === undefined ? undefined : writeCursor({ by: 'csn', contexts, proved: true });
}

async function* changes(
  reading: Reading,
  cursor: Cursor,
): AsyncGenerator<readonly Change[], ChangesReport, void> {
  const old = readCursor(cursor);
  const now = await readContexts(reading);
  if (old?.by !== 'csn') return doubtful(reading, cursor, 'the cursor is none of contextCSN');
  if (now === undefined) return doubtful(reading, cursor, 'contextCSN cannot be read any more');
  const moved = compare(old.contexts, now);
  if (typeof moved === 'string') return doubtful(reading, cursor, moved);
  if (moved.length === 0) return yield* atRest(reading, old.contexts, old.proved);
  const from = moved.reduce((least, csn) => (csn < least ? csn : least));
  const before = csnsOf(old.contexts);
  const mark = {
    filter: `(entryCSN>=${escapeValue(from)})`,
    attributes: ['entryCSN'],
    see: () => undefined,
    isKnown: (found: SearchEntry) => before.includes(firstValue(found, 'entryCSN') ?? ''),
  };
  const touched = yield* readTouched(reading, mark);
  const doubts = [...touched.doubts];
  if (reading.listing) doubts.push(...(yield* listAll(reading)));
  doubts.push(...reading.doubts());
  const listed = reading.listing && doubts.length === 0;
  return {
    doubts,
    cursor: writeCursor({ by: 'csn', contexts: now, proved: listed }),
    proof: listed,
    listed,
    description: `${reading.who}, ${String(touched.count)} objects touched since ${from}`,
  };
}

/** Nothing moved. Deletions before may still be unknown. Objects that are newer show a contextCSN which is only left over. */
async function* atRest(
  reading: Reading,
  old: Contexts,
  proved: boolean,
): AsyncGenerator<readonly Change[], ChangesReport, void> {
  const newest = csnsOf(old).reduce((most, csn) => (csn > most ? csn : most));
  const doubts: string[] = [];
  if ((await countBeyond(reading, newest)) > 0 && (await isStill(reading, old)))
    doubts.push(`contextCSN stays at ${newest} and objects are newer: nobody keeps it, see syncprov`);
  const list = reading.listing && !proved;
  if (list) doubts.push(...(yield* listAll(reading)));
  doubts.push(...reading.doubts());
  const listed = list && doubts.length === 0;
  return {
    doubts,
    cursor: writeCursor({ by: 'csn', contexts: old, proved: proved || listed }),
    proof: (proved || listed) && doubts.length === 0,
    listed,
    description: `${reading.who}, nothing has changed since ${newest}`,
  };
}

async function isStill(reading: Reading, old: Contexts): Promise<boolean> {
  const now = await readContexts(reading);
  const moved = now === undefined ? 'unreadable' : compare(old, now);
  return typeof moved !== 'string' && moved.length === 0;
}

async function countBeyond(reading: Reading, newest: string): Promise<number> {
  let beyond = 0;
  for (const baseDn of new Set(reading.options.baseDns)) {
    for await (const page of reading.pages(baseDn, `(entryCSN>=${escapeValue(newest)})`, ['entryCSN'])) {
      beyond += page.filter((found) => (firstValue(found, 'entryCSN') ?? '') > newest).length;
    }
  }
  return beyond;
}

function csnsOf(contexts: Contexts): string[] {
  return Object.values(contexts).flatMap((bySid) => Object.values(bySid));
}

/** The old CSN of each SID that moved; or why the two cannot be compared. */
function compare(old: Contexts, now: Contexts): string[] | string {
  const moved: string[] = [];
  for (const context of new Set([...Object.keys(old), ...Object.keys(now)])) {
    const [before, after] = [old[context] ?? {}, now[context] ?? {}];
    for (const sid of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const [was, is] = [before[sid], after[sid]];
      if (was === undefined) return `server ${sid} is new in the contextCSN of ${context}`;
      if (is === undefined) return `server ${sid} is no longer in the contextCSN of ${context}`;
      if (is < was) return `the contextCSN of ${context} went back: a replica behind, or a restored backup`;
      if (is > was) moved.push(was);
    }
  }
  return moved;
}

async function readContexts(reading: Reading): Promise<Contexts | undefined> {
  const suffixes = reading.facts.root.get('namingcontexts') ?? [];
  const contexts: Record<string, BySid> = {};
  for (const baseDn of reading.options.baseDns) {
    const suffix = suffixOf(baseDn, suffixes);
    if (suffix === undefined) return undefined;
    contexts[suffix] ??= bySid(await readValues(reading, suffix, 'contextCSN'));
    if (Object.keys(contexts[suffix]).length === 0) return undefined;
  }
  return contexts;
}

/** draft-chu-ldap-csn-00 §3: time, count, SID, modification, in fixed widths that sort as text. */
function bySid(values: readonly string[]): BySid {
  const shape = /^\d{14}\.\d{6}Z#[0-9a-f]{6}#([0-9a-f]{3})#[0-9a-f]{6}$/;
  const found = values.map((csn) => [shape.exec(csn)?.[1], csn] as const);
  return Object.fromEntries(found.flatMap(([sid, csn]) => (sid === undefined ? [] : [[sid, csn]])));
}
