/**
 * Writes batches into `traffic.db`. One writing process, in whichever thread this runs.
 *
 * Promises a batch whole or not at all, the ring of rejections bounded, old counts let go. A file that is damaged, no
 * database, or of another version is moved aside (`traffic.db.damaged-TIME`) and begun anew: only counts are lost, and
 * nothing the edges answer depends on it. Refuses (throws) only when the disk does: full, read-only, gone.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import Database, { type Database as Connection } from 'better-sqlite3';
import { hourMs, type TrafficBatch } from './event.js';
import { trafficSchema, trafficVersion } from './schema.js';

export interface TrafficDatabaseOptions {
  readonly path: string;
  /** Rows of the ring of rejections; default 100,000. */
  readonly maxRejections?: number;
  /** How long counts are kept; default 400 days. */
  readonly keepCountsMs?: number;
  /** Names the file that is moved aside; default Date.now. */
  readonly now?: () => number;
}

export interface TrafficDatabase {
  write(batch: TrafficBatch): void;
  close(): void;
}

export function openTrafficDatabase(options: TrafficDatabaseOptions): TrafficDatabase {
  const now = options.now ?? Date.now;
  let store: OpenStore | undefined = openOrReplace(options, now);

  function write(batch: TrafficBatch): void {
    // Unlinked or replaced behind our back: rows written to the old file would be seen by nobody.
    if (store !== undefined && !existsSync(options.path)) closeStore();
    store ??= openOrReplace(options, now);
    try {
      store.apply(batch);
    } catch (error) {
      if (!isDamage(error)) throw error;
      closeStore();
      moveAside(options.path, now());
      store = openStore(options);
      store.apply(batch);
    }
  }

  function closeStore(): void {
    store?.connection.close();
    store = undefined;
  }

  return { write, close: closeStore };
}

interface OpenStore {
  readonly connection: Connection;
  apply(batch: TrafficBatch): void;
}

function openOrReplace(options: TrafficDatabaseOptions, now: () => number): OpenStore {
  try {
    return openStore(options);
  } catch (error) {
    if (!isDamage(error)) throw error;
    moveAside(options.path, now());
    return openStore(options);
  }
}

function openStore(options: TrafficDatabaseOptions): OpenStore {
  const connection = new Database(options.path);
  try {
    prepareSchema(connection);
    return { connection, apply: createWriter(connection, options) };
  } catch (error) {
    connection.close();
    throw error;
  }
}

class UnknownVersion extends Error {}

function prepareSchema(connection: Connection): void {
  connection.pragma('journal_mode = WAL');
  // A power cut may cost the last seconds of counts, never the file.
  connection.pragma('synchronous = NORMAL');
  connection.pragma('journal_size_limit = 16777216');
  const version = Number(connection.pragma('user_version', { simple: true }));
  if (version === trafficVersion) return;
  if (version !== 0) throw new UnknownVersion(`traffic.db has version ${version}`);
  connection.transaction(() => {
    connection.exec(trafficSchema);
    connection.pragma(`user_version = ${trafficVersion}`);
  })();
}

function createWriter(
  connection: Connection,
  options: TrafficDatabaseOptions,
): (batch: TrafficBatch) => void {
  const count = connection.prepare(
    `INSERT INTO verdict_count (tenant, domain, hour, reason, action, edge, count)
     VALUES (@tenant, @domain, @hour, @reason, @action, @edge, @count)
     ON CONFLICT DO UPDATE SET count = count + excluded.count`,
  );
  const accepted = connection.prepare(
    `INSERT INTO last_accepted (tenant, key, at) VALUES (@tenant, @key, @at)
     ON CONFLICT DO UPDATE SET at = max(at, excluded.at)`,
  );
  const rejection = connection.prepare(
    `INSERT INTO rejection (reference, at, tenant, domain, edge, address, sender, client, reason, code, status, observed)
     VALUES (@reference, @at, @tenant, @domain, @edge, @address, @sender, @client, @reason, @code, @status, @observed)`,
  );
  const trim = connection.prepare('DELETE FROM rejection WHERE id <= (SELECT max(id) FROM rejection) - ?');
  const forget = connection.prepare('DELETE FROM verdict_count WHERE hour < ?');
  const keepHours = (options.keepCountsMs ?? 400 * 24 * hourMs) / hourMs;
  let newestHour = 0;

  return connection.transaction((batch: TrafficBatch) => {
    for (const row of batch.counts) count.run(row);
    for (const row of batch.accepted) accepted.run(row);
    for (const row of batch.rejections) rejection.run({ ...row, observed: row.observed ? 1 : 0 });
    if (batch.rejections.length > 0) trim.run(options.maxRejections ?? 100_000);
    const hour = batch.counts.reduce((newest, row) => Math.max(newest, row.hour), newestHour);
    if (hour > newestHour) forget.run(hour - keepHours);
    newestHour = hour;
  });
}

/** Whether the file itself is the trouble, and a new one would not have it. */
function isDamage(error: unknown): boolean {
  if (error instanceof UnknownVersion) return true;
  if (!(error instanceof Database.SqliteError)) return false;
  return /^SQLITE_(CORRUPT|NOTADB|FORMAT)/.test(error.code) || /no such (table|column)/.test(error.message);
}

function moveAside(path: string, at: number): void {
  if (existsSync(path)) renameSync(path, `${path}.damaged-${at}`);
  // They belong to the file that is gone, and would be taken for the new one's.
  for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true });
}
