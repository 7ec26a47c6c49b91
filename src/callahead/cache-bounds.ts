/** How the cache stays small: a few rows at a time, by index, so that no question waits for it. */
import { statement, type Connection } from './cache-file.js';

/** Rows that go with one that comes, when there are too many. */
const evictStep = 2;
const dropStep = 200;
const maxStandings = 10_000;

/** Keeps a scope to `max` rows of its kind. Who was known and is no more goes last: to refuse him at once would be the harm. */
export function evict(file: Connection, scope: string, known: boolean, max: number): void {
  const kind = { scope, known: known ? 1 : 0 };
  const kept = statement<{ readonly count: number }>(
    file,
    'SELECT count FROM kept WHERE scope = @scope AND known = @known',
  ).get(kind);
  if (kept === undefined || kept.count <= max) return;
  statement(
    file,
    `DELETE FROM entry WHERE scope = @scope AND address IN (SELECT address FROM entry WHERE scope = @scope
     AND known = @known ORDER BY known_until IS NOT NULL, at LIMIT @step)`,
  ).run({ ...kind, step: evictStep });
}

export function dropOlder(file: Connection, than: number): void {
  statement(
    file,
    `DELETE FROM entry WHERE (scope, address) IN
     (SELECT scope, address FROM entry WHERE at < ? ORDER BY at LIMIT ?)`,
  ).run(than, dropStep);
}

export function trimStandings(file: Connection): void {
  statement(
    file,
    `DELETE FROM standing WHERE (scope, host, domain) IN (SELECT scope, host, domain FROM standing
     ORDER BY tried_at LIMIT max(0, (SELECT count(*) FROM standing) - ?))`,
  ).run(maxStandings);
}
