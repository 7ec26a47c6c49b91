/**
 * The diff: from what a source says now to the rows of `stage.diff`, and from those to a Plan.
 *
 * Reads the directory, writes only the scratch file (and once an index). A read of everything, a read of changes and single
 * entries fill it each in its way; the held part of a run and the way back do it in diff-settled.ts.
 */
import type { Plan, SourceRef } from '../store.js';
import { hashDiff } from './diff-facts.js';
import { leaveHeld } from './held.js';
import type { Db } from './open.js';

export const columns = 'key, object, attribute, kind, flags, spelling';

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

/** A claim that takes the place of another is a move only if it refuses nobody whom the other let in. */
const isNoWorse = (claim: string): string => `(${claim}.flags & ~c.flags) = 0`;

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
     SELECT CASE WHEN EXISTS (SELECT 1 FROM stage.wanted o WHERE o.key = c.key AND ${isNoWorse('o')}) THEN '=' ELSE '-' END,
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
 * staged are gone, unless the object holds values that could not be used. What an earlier run has held stays held.
 */
export function planChanges(db: Db, ref: SourceRef): Plan {
  indexByObject(db);
  gatherWanted(db);
  diffWanted(db, ref);
  // CROSS: the planner would walk through all claims of the source and ask of each whether it was touched
  db.prepare(
    `INSERT INTO stage.diff
     SELECT CASE WHEN EXISTS (SELECT 1 FROM stage.wanted o WHERE o.key = c.key AND ${isNoWorse('o')})
              OR EXISTS (SELECT 1 FROM claim k WHERE k.tenant = c.tenant AND k.source = c.source AND k.key = c.key
                         AND ${isNoWorse('k')} AND NOT EXISTS (SELECT 1 FROM stage.touched g WHERE g.object = k.object)) THEN '=' ELSE '-' END,
            c.key, c.object, c.attribute, c.kind, c.flags, c.spelling, NULL
     FROM stage.touched t
     CROSS JOIN claim c INDEXED BY claim_by_object ON c.tenant = ? AND c.source = ? AND c.object = t.object
     WHERE NOT EXISTS (SELECT 1 FROM stage.wanted w WHERE w.key = c.key AND w.object = c.object)
       AND NOT EXISTS (SELECT 1 FROM stage.doubtful d WHERE d.object = c.object)
     ORDER BY c.key, c.object`,
  ).run(ref.tenantId, ref.sourceId);
  leaveHeld(db, ref);
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
 * ids nobody knows: without a claim, not touched, and not known to have no address of ours.
 */
export function compareListing(db: Db, ref: SourceRef): number {
  indexByObject(db);
  const unknown = db
    .prepare<[number, number, number, number], number>(
      `SELECT COUNT(*) FROM stage.listed l
       WHERE NOT EXISTS (SELECT 1 FROM claim c WHERE c.tenant = ? AND c.source = ? AND c.object = l.object)
         AND NOT EXISTS (SELECT 1 FROM unclaimed u WHERE u.tenant = ? AND u.source = ? AND u.object = l.object)
         AND NOT EXISTS (SELECT 1 FROM stage.touched t WHERE t.object = l.object)`,
    )
    .pluck()
    .get(ref.tenantId, ref.sourceId, ref.tenantId, ref.sourceId);
  db.prepare(
    `INSERT OR IGNORE INTO stage.touched
     SELECT DISTINCT c.object FROM claim c INDEXED BY claim_by_object WHERE c.tenant = ? AND c.source = ?
       AND NOT EXISTS (SELECT 1 FROM stage.listed l WHERE l.object = c.object)`,
  ).run(ref.tenantId, ref.sourceId);
  return unknown ?? 0;
}

interface OpCount {
  readonly op: string;
  readonly n: number;
}

export function summarise(db: Db, current: number): Plan {
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
