/** The diff from history: the held part of an earlier run, and the way back. Reads the directory, writes only the scratch file. */
import type { Plan, SourceRef } from '../store.js';
import { columns, countClaims, summarise } from './diff.js';
import type { Db } from './open.js';

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
