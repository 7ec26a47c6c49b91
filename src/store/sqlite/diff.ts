/**
 * The diff: from what a source says now, or from history, to the rows of `stage.diff`, and from those to a Plan.
 *
 * Reads the directory, writes only the scratch file. Three ways to fill the diff, one way to use it: a read (planRead),
 * the held part of an earlier run (planHeld), the way back (planRollback).
 */
import { createHash } from 'node:crypto';
import type { Plan, SourceRef } from '../store.js';
import type { Db } from './open.js';

const columns = 'key, object, attribute, kind, flags, spelling';

/** Claims of a source now. */
export function countClaims(db: Db, ref: SourceRef): number {
  return (
    db
      .prepare<[number, number], number>('SELECT COUNT(*) FROM claim WHERE tenant = ? AND source = ?')
      .pluck()
      .get(ref.tenantId, ref.sourceId) ?? 0
  );
}

/**
 * One claim for each key and object, however often the source gave it: active if one of them is, internal-only if every
 * active one is, spelled in every way that was read.
 */
const distinct = `SELECT key, object, attribute, kind, flags, spelling FROM (
  SELECT key, object, attribute, kind,
    MIN(flags & 1) | (CASE WHEN MIN(flags & 1) = 0 THEN MIN(CASE WHEN flags & 1 THEN 2 ELSE flags & 2 END)
      ELSE MIN(flags & 2) END) AS flags,
    CASE WHEN COUNT(spelling) = 0 THEN NULL WHEN COUNT(*) = 1 THEN MIN(spelling)
      ELSE group_concat(COALESCE(spelling, key), char(31)) END AS spelling,
    MIN(rowid) FROM stage.entry GROUP BY key, object)`;

/** Newly disabled or internal-only: the address is taken away from some senders, so it counts like a removal. */
const isDenial = '(w.flags & ~c.flags) <> 0';

/** `stage.wanted`: what the staged entries come to. */
function gatherWanted(db: Db): void {
  db.exec(`CREATE TABLE stage.wanted (
      key TEXT, object TEXT, attribute TEXT, kind TEXT, flags INTEGER, spelling TEXT, PRIMARY KEY (key, object)
    ) WITHOUT ROWID;
    INSERT INTO stage.wanted ${distinct}`);
}

/** Wanted claims that are new or other than those in force. */
function diffWanted(db: Db, ref: SourceRef): void {
  db.prepare(
    `INSERT INTO stage.diff
     SELECT CASE WHEN c.key IS NULL THEN '+' WHEN ${isDenial} THEN '!' ELSE '~' END, w.key, w.object, w.attribute, w.kind, w.flags, w.spelling,
            CASE WHEN c.key IS NULL THEN NULL ELSE json_array(c.attribute, c.kind, c.flags, c.spelling) END
     FROM stage.wanted w
     LEFT JOIN claim c ON c.tenant = ? AND c.source = ? AND c.key = w.key AND c.object = w.object
     WHERE c.key IS NULL OR c.attribute <> w.attribute OR c.kind <> w.kind OR c.flags <> w.flags
        OR c.spelling IS NOT w.spelling
     ORDER BY w.key, w.object`,
  ).run(ref.tenantId, ref.sourceId);
}

/**
 * Compares `stage.entry` with the claims of the source. Claims of an object with unusable values are not taken for gone:
 * nobody knows what the value was meant to be.
 */
export function planRead(db: Db, ref: SourceRef): Plan {
  const current = countClaims(db, ref);
  if (current === 0) {
    db.exec(`INSERT INTO stage.diff SELECT '+', ${columns}, NULL FROM (${distinct})`);
    return summarise(db, current);
  }
  gatherWanted(db);
  diffWanted(db, ref);
  db.prepare(
    `INSERT INTO stage.diff
     SELECT CASE WHEN EXISTS (SELECT 1 FROM stage.wanted o WHERE o.key = c.key) THEN '=' ELSE '-' END,
            c.key, c.object, c.attribute, c.kind, c.flags, c.spelling, NULL
     FROM claim c
     WHERE c.tenant = ? AND c.source = ?
       AND NOT EXISTS (SELECT 1 FROM stage.wanted w WHERE w.key = c.key AND w.object = c.object)
       AND NOT EXISTS (SELECT 1 FROM stage.doubtful d WHERE d.object = c.object)
     ORDER BY c.key, c.object`,
  ).run(ref.tenantId, ref.sourceId);
  return summarise(db, current);
}

/**
 * Compares the staged objects, and no others, with their claims: the cost is that of the changes. Their claims that are not
 * staged are gone, unless the object holds values that could not be used.
 */
export function planChanges(db: Db, ref: SourceRef): Plan {
  indexByObject(db);
  gatherWanted(db);
  diffWanted(db, ref);
  db.prepare(
    `INSERT INTO stage.diff
     SELECT CASE WHEN EXISTS (SELECT 1 FROM stage.wanted o WHERE o.key = c.key)
              OR EXISTS (SELECT 1 FROM claim k WHERE k.tenant = c.tenant AND k.source = c.source AND k.key = c.key
                         AND NOT EXISTS (SELECT 1 FROM stage.touched g WHERE g.object = k.object)) THEN '=' ELSE '-' END,
            c.key, c.object, c.attribute, c.kind, c.flags, c.spelling, NULL
     FROM stage.touched t
     JOIN claim c ON c.tenant = ? AND c.source = ? AND c.object = t.object
     WHERE NOT EXISTS (SELECT 1 FROM stage.wanted w WHERE w.key = c.key AND w.object = c.object)
       AND NOT EXISTS (SELECT 1 FROM stage.doubtful d WHERE d.object = c.object)
     ORDER BY c.key, c.object`,
  ).run(ref.tenantId, ref.sourceId);
  return summarise(db, countClaims(db, ref));
}

/** What the staged objects add to their claims, or change in them without taking anything away. */
export function planClaims(db: Db, ref: SourceRef): Plan {
  gatherWanted(db);
  diffWanted(db, ref);
  db.exec("DELETE FROM stage.diff WHERE op = '!'");
  return summarise(db, countClaims(db, ref));
}

/** Made when a source is first read by its changes: lists that never are need not pay for it. */
function indexByObject(db: Db): void {
  db.exec('CREATE INDEX IF NOT EXISTS claim_by_object ON claim (tenant, source, object)');
}

/**
 * After a whole listing of ids: objects with claims that are not in it count as touched, so as gone. Returns how many listed
 * ids have no claim and were not touched.
 */
export function compareListing(db: Db, ref: SourceRef): number {
  indexByObject(db);
  const unclaimed = db
    .prepare<[number, number], number>(
      `SELECT COUNT(*) FROM stage.listed l
       WHERE NOT EXISTS (SELECT 1 FROM claim c WHERE c.tenant = ? AND c.source = ? AND c.object = l.object)
         AND NOT EXISTS (SELECT 1 FROM stage.touched t WHERE t.object = l.object)`,
    )
    .pluck()
    .get(ref.tenantId, ref.sourceId);
  db.prepare(
    `INSERT OR IGNORE INTO stage.touched
     SELECT DISTINCT c.object FROM claim c INDEXED BY claim_by_object WHERE c.tenant = ? AND c.source = ?
       AND NOT EXISTS (SELECT 1 FROM stage.listed l WHERE l.object = c.object)`,
  ).run(ref.tenantId, ref.sourceId);
  return unclaimed ?? 0;
}

/** Keys that a plan takes away or denies. */
export function lostKeys(db: Db): IterableIterator<string> {
  return db
    .prepare<[], string>("SELECT DISTINCT key FROM stage.diff WHERE op IN ('-', '!')")
    .pluck()
    .iterate();
}

/** The key of every claim that a plan adds, or takes away (moved ones are both, at their own claims). */
export function keysOf(db: Db, ops: '+' | '-='): IterableIterator<string> {
  return db
    .prepare<[string], string>('SELECT key FROM stage.diff WHERE instr(?, op) > 0')
    .pluck()
    .iterate(ops);
}

/** Objects that lose claims and were not read at all. */
export function countVanished(db: Db): number {
  return (
    db
      .prepare<[], number>(
        `SELECT COUNT(DISTINCT object) FROM stage.diff d
         WHERE op = '-' AND NOT EXISTS (SELECT 1 FROM stage.wanted w WHERE w.object = d.object)`,
      )
      .pluck()
      .get() ?? 0
  );
}

/** The held part of `run`, less what has become true or pointless since. */
export function planHeld(db: Db, ref: SourceRef, run: number): Plan {
  db.prepare(
    `INSERT INTO stage.diff
     SELECT h.op, ${columns.replace(/\w+/g, 'h.$&')},
            CASE h.op WHEN '!' THEN json_array(c.attribute, c.kind, c.flags, c.spelling) END
     FROM held h
     LEFT JOIN claim c ON c.tenant = h.tenant AND c.source = ? AND c.key = h.key AND c.object = h.object
     WHERE h.tenant = ? AND h.run = ? AND (h.op = '+') = (c.key IS NULL)
     ORDER BY h.op = '-', h.key, h.object`,
  ).run(ref.sourceId, ref.tenantId, run);
  return summarise(db, countClaims(db, ref));
}

/**
 * Back to the claims before `run`: for each claim that `run` or a later run of the source changed, the state before the
 * first of those changes, compared with the state now.
 */
export function planRollback(db: Db, ref: SourceRef, run: number): Plan {
  db.exec(`CREATE TABLE stage.past (op TEXT, ${columns}, before TEXT)`);
  db.prepare(
    `INSERT INTO stage.past
     SELECT op, ${columns}, before FROM (
       SELECT c.op, ${columns.replace(/\w+/g, 'c.$&')}, c.before, MIN(c.run) FROM run r
       JOIN change c ON c.tenant = r.tenant AND c.run = r.run
       WHERE r.tenant = ? AND r.source = ? AND r.run >= ? AND r.generation IS NOT NULL
       GROUP BY c.key, c.object)`,
  ).run(ref.tenantId, ref.sourceId, run);
  const now = 'claim c ON c.tenant = ? AND c.source = ? AND c.key = p.key AND c.object = p.object';
  // what was there before: a removed claim's own columns, a changed claim's `before`
  const was = `SELECT key, object,
      CASE op WHEN '-' THEN attribute ELSE json_extract(before, '$[0]') END AS attribute,
      CASE op WHEN '-' THEN kind ELSE json_extract(before, '$[1]') END AS kind,
      CASE op WHEN '-' THEN flags ELSE json_extract(before, '$[2]') END AS flags,
      CASE op WHEN '-' THEN spelling ELSE json_extract(before, '$[3]') END AS spelling
    FROM stage.past WHERE op <> '+'`;
  db.prepare(
    `INSERT INTO stage.diff
     SELECT CASE WHEN c.key IS NULL THEN '+' ELSE '~' END, p.key, p.object, p.attribute, p.kind, p.flags, p.spelling,
            CASE WHEN c.key IS NULL THEN NULL ELSE json_array(c.attribute, c.kind, c.flags, c.spelling) END
     FROM (${was}) p LEFT JOIN ${now}
     WHERE c.key IS NULL OR c.attribute <> p.attribute OR c.kind <> p.kind OR c.flags <> p.flags
        OR c.spelling IS NOT p.spelling
     ORDER BY p.key, p.object`,
  ).run(ref.tenantId, ref.sourceId);
  db.prepare(
    `INSERT INTO stage.diff
     SELECT '-', c.key, c.object, c.attribute, c.kind, c.flags, c.spelling, NULL
     FROM stage.past p JOIN ${now} WHERE p.op = '+' ORDER BY c.key, c.object`,
  ).run(ref.tenantId, ref.sourceId);
  return summarise(db, countClaims(db, ref));
}

interface OpCount {
  readonly op: string;
  readonly n: number;
}

function summarise(db: Db, current: number): Plan {
  const rows = db.prepare<[], OpCount>('SELECT op, COUNT(*) AS n FROM stage.diff GROUP BY op').all();
  const count = (op: string): number => rows.find((row) => row.op === op)?.n ?? 0;
  return {
    current,
    added: count('+'),
    changed: count('~'),
    denied: count('!'),
    removed: count('-'),
    moved: count('='),
    hash: hashDiff(db, ['+', '~', '!', '-', '=']),
  };
}

const rowsPerChunk = 4096;

/**
 * SHA-256 over the chosen rows of the diff, in order; first 16 hex digits. The text is built in SQL, some thousand rows at
 * a time: a million calls into JavaScript would cost a second.
 */
export function hashDiff(db: Db, ops: readonly string[]): string {
  const hash = createHash('sha256');
  const last = db.prepare<[], number | null>('SELECT MAX(rowid) FROM stage.diff').pluck().get() ?? 0;
  const chunk = db
    .prepare<[number, number, string], string | null>(
      `SELECT group_concat(op || char(31) || key || char(31) || object || char(31) || attribute || char(31) || kind ||
         char(31) || flags || char(31) || COALESCE(spelling, '') || char(31) || COALESCE(before, ''), char(30))
       FROM (SELECT * FROM stage.diff WHERE rowid > ? AND rowid <= ? AND instr(?, op) > 0 ORDER BY rowid)`,
    )
    .pluck();
  const chosen = ops.join('');
  let separator = '';
  for (let start = 0; start < last; start += rowsPerChunk) {
    const text = chunk.get(start, start + rowsPerChunk, chosen);
    if (text === null || text === undefined) continue;
    hash.update(separator).update(text);
    separator = '\x1e';
  }
  return hash.digest('hex').slice(0, 16);
}

/** A few rows of the diff, for a person to look at. */
export function sampleDiff(db: Db, op: string, limit: number): string[] {
  return db
    .prepare<[string, number], string>(
      'SELECT DISTINCT key FROM stage.diff WHERE op = ? ORDER BY rowid LIMIT ?',
    )
    .pluck()
    .all(op, limit);
}
