/**
 * What servers have said, in `callahead.db`: of recipients, of themselves, and how often. Disposable: a file that is lost,
 * damaged or of another version is begun anew, and only means that servers are asked again.
 *
 * Promises never to throw and never to wait: what the disk refuses is kept in memory, bounded. Rows are bounded too;
 * unknown recipients, of which there is no end, never push out known ones. One process writes (the edge); others read the
 * file and keep what they learn to themselves.
 */
import { join } from 'node:path';
import { messageOf } from '../errors.js';
import type { Logger } from '../telemetry/log.js';
import { dropOlder, evict, trimStandings } from './cache-bounds.js';
import { isDamage, openForWriting, readOnly, removeFile, statement, type Connection } from './cache-file.js';
import type { Entry } from './lifetimes.js';

/** What is known of a server, for one domain. */
export interface Standing {
  /** It took a recipient that cannot exist. */
  readonly blind: boolean;
  /** When it was tried with one; 0: never. */
  readonly triedAt: number;
}

export interface Cache {
  /** Opens the file now, so that no question has to. */
  prepare(): void;
  find(scope: string, address: string): Entry | undefined;
  put(scope: string, domain: string, address: string, entry: Entry): void;
  /** Known recipients of the domain: so many of those heard of last, and of those heard of longest ago. */
  knownOf(
    scope: string,
    domain: string,
    limit: number,
  ): { readonly newest: readonly string[]; readonly oldest: readonly string[] };
  /** `host` as `name:port`. */
  standing(scope: string, host: string, domain: string): Standing | undefined;
  putStanding(scope: string, host: string, domain: string, standing: Standing): void;
  /** One more probe that came to this. */
  count(scope: string, outcome: string): void;
  close(): void;
}

export interface CacheOptions {
  readonly path: string;
  /** Whether this process writes the file; one at most does. */
  readonly write: boolean;
  /** Rows older than this are dropped; default 366 days. */
  readonly keepMs?: number;
  readonly now: () => number;
  readonly log: Logger;
  /** Rows of each kind and scope; defaults 500,000 known and 100,000 unknown. */
  readonly maxKnown?: number;
  readonly maxUnknown?: number;
}

export function cachePath(dataDir: string): string {
  return join(dataDir, 'callahead.db');
}

/** Of what the disk refused, or this process may not write. */
const maxInMemory = 10_000;
const tidyEvery = 500;
const defaultKeepMs = 366 * 86_400_000;
/** A disk that refuses is not tried with every question. */
const giveUpMs = 10_000;
const tallyMs = 2000;

interface EntryRow {
  readonly known: number;
  readonly at: number;
  readonly known_until: number | null;
}

interface StandingRow {
  readonly blind: number;
  readonly tried_at: number;
}

export function openCache(options: CacheOptions): Cache {
  const { path, write, log, keepMs = defaultKeepMs, maxKnown = 500_000, maxUnknown = 100_000 } = options;
  const entries = new Map<string, Entry>();
  const standings = new Map<string, Standing>();
  let db: Connection | undefined;
  let complained = false;
  let closed = false;
  let failedUntil = -Infinity;
  let puts = 0;
  let standingPuts = 0;
  const tallies = new Map<string, number>();
  let tallying: NodeJS.Timeout | undefined;

  /** Runs on the file; undefined when that was not possible. A damaged file is begun anew. */
  function onFile<T>(work: (db: Connection) => T): T | undefined {
    if (closed || performance.now() < failedUntil) return undefined;
    try {
      return write ? work((db ??= openForWriting(path, options))) : readOnly(path, work);
    } catch (error) {
      if (!complained)
        log.warn({ file: path, err: messageOf(error) }, 'answers of mail servers not kept on disk');
      complained = true;
      if (write && isDamage(error)) beginAnew();
      else if (db === undefined) failedUntil = performance.now() + giveUpMs;
      return undefined;
    }
  }

  function beginAnew(): void {
    try {
      db?.close();
      removeFile(path);
    } catch (error) {
      failedUntil = performance.now() + giveUpMs;
      log.warn({ file: path, err: messageOf(error) }, 'damaged answers of mail servers cannot be removed');
    }
    db = undefined;
  }

  function store(work: (db: Connection) => unknown): boolean {
    if (!write) return false;
    return (
      onFile((file) => {
        work(file);
        return true;
      }) === true
    );
  }

  /** One write for the probes of a while: who is turned away costs nothing. */
  function writeTallies(): void {
    tallying = undefined;
    if (tallies.size === 0) return;
    const counts = [...tallies];
    tallies.clear();
    store((file) => {
      const add = statement(
        file,
        'INSERT INTO probe_count VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count',
      );
      for (const [id, count] of counts) add.run(...id.split('\n'), count);
    });
  }

  /** Of the domain, in memory; only where the file does not do its part. */
  function rememberedOf(scope: string, domain: string, limit: number): readonly string[] {
    const found = [...entries].filter(
      ([id, entry]) => entry.known && id.startsWith(`${scope}\n`) && id.endsWith(`@${domain}`),
    );
    return found.slice(-limit).map(([id]) => id.slice(scope.length + 1));
  }

  return {
    prepare() {
      if (write) onFile(() => undefined);
    },
    find(scope, address) {
      const kept = entries.get(`${scope}\n${address}`);
      if (kept !== undefined) return kept;
      const row = onFile((file) =>
        statement<EntryRow>(
          file,
          'SELECT known, at, known_until FROM entry WHERE scope = ? AND address = ?',
        ).get(scope, address),
      );
      if (row === undefined) return undefined;
      return { known: row.known === 1, at: row.at, knownUntil: row.known_until ?? undefined };
    },
    put(scope, domain, address, { known, at, knownUntil }) {
      const id = `${scope}\n${address}`;
      const isStored = store((file) => {
        statement(
          file,
          `INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
           SET known = excluded.known, at = excluded.at, known_until = excluded.known_until`,
        ).run(scope, address, domain, known ? 1 : 0, at, knownUntil ?? null);
        evict(file, scope, known, known ? maxKnown : maxUnknown);
        puts += 1;
        if (puts % tidyEvery === 0) dropOlder(file, options.now() - keepMs);
      });
      entries.delete(id);
      if (!isStored) remember(entries, id, { known, at, knownUntil });
    },
    knownOf(scope, domain, limit) {
      const remembered = rememberedOf(scope, domain, limit);
      const rows = (order: 'ASC' | 'DESC'): readonly string[] =>
        onFile((file) =>
          statement<{ readonly address: string }>(
            file,
            `SELECT address FROM entry WHERE scope = ? AND domain = ? AND known = 1 ORDER BY at ${order} LIMIT ?`,
          ).all(scope, domain, limit),
        )?.map(({ address }) => address) ?? [];
      return { newest: [...remembered, ...rows('DESC')], oldest: rows('ASC') };
    },
    standing(scope, host, domain) {
      const kept = standings.get(`${scope}\n${host}\n${domain}`);
      if (kept !== undefined) return kept;
      const row = onFile((file) =>
        statement<StandingRow>(
          file,
          'SELECT blind, tried_at FROM standing WHERE scope = ? AND host = ? AND domain = ?',
        ).get(scope, host, domain),
      );
      if (row === undefined) return undefined;
      return { blind: row.blind === 1, triedAt: row.tried_at };
    },
    putStanding(scope, host, domain, standing) {
      const { blind, triedAt } = standing;
      // few, and asked for with each probe
      remember(standings, `${scope}\n${host}\n${domain}`, standing);
      store((file) => {
        statement(file, 'INSERT OR REPLACE INTO standing VALUES (?, ?, ?, ?, ?)').run(
          scope,
          host,
          domain,
          blind ? 1 : 0,
          triedAt,
        );
        standingPuts += 1;
        // with `includeSubdomains` there is no end of domains
        if (standingPuts % tidyEvery === 0) trimStandings(file);
      });
    },
    count(scope, outcome) {
      const id = `${scope}\n${outcome}`;
      tallies.set(id, (tallies.get(id) ?? 0) + 1);
      if (write && !closed) tallying ??= setTimeout(writeTallies, tallyMs).unref();
    },
    close() {
      clearTimeout(tallying);
      writeTallies();
      closed = true;
      db?.close();
      db = undefined;
    },
  };
}

function remember<Value>(map: Map<string, Value>, id: string, value: Value): void {
  map.delete(id);
  map.set(id, value);
  const [oldest] = map.keys();
  if (map.size > maxInMemory && oldest !== undefined) map.delete(oldest);
}
