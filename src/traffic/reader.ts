/**
 * Reads `traffic.db` beside its writer: for `rollcall stats`, `rollcall check`, and the metrics of control.
 *
 * Promises answers also when the file is missing, damaged, locked or being replaced: then there is nothing to tell, and
 * the result is empty. Never writes.
 */
import { statSync } from 'node:fs';
import Database, { type Database as Connection } from 'better-sqlite3';
import type { CountRow, RejectionRow } from './event.js';
import { trafficVersion } from './schema.js';

export interface CountFilter {
  readonly tenant?: string | undefined;
  readonly domain?: string | undefined;
  /** Milliseconds since the epoch; whole hours are counted. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

export interface RejectionFilter {
  readonly tenant?: string | undefined;
  readonly domain?: string | undefined;
  readonly address?: string | undefined;
  readonly since?: number | undefined;
  /** Default 100; newest first. */
  readonly limit?: number | undefined;
}

export interface TrafficReader {
  counts(filter?: CountFilter): readonly CountRow[];
  /** Milliseconds since the epoch. */
  lastAccepted(tenant: string, key: string): number | undefined;
  rejections(filter?: RejectionFilter): readonly RejectionRow[];
  byReference(reference: string): RejectionRow | undefined;
  close(): void;
}

const hourMs = 3_600_000;

export function openTrafficReader(path: string): TrafficReader {
  const file = createFile(path);
  return {
    counts: (filter = {}) =>
      file.read((db) => db.prepare(countsSql).all(countParameters(filter)), []) as CountRow[],
    lastAccepted: (tenant, key) =>
      file.read((db) => db.prepare(acceptedSql).pluck().get(tenant, key), undefined) as number | undefined,
    rejections: (filter = {}) =>
      file.read((db) => db.prepare(rejectionsSql).all(rejectionParameters(filter)).map(toRejection), []),
    byReference: (reference) =>
      file.read((db) => db.prepare(referenceSql).all(reference).map(toRejection)[0], undefined),
    close: () => file.close(),
  };
}

const countsSql = `
  SELECT tenant, domain, reason, action, edge, hour, count FROM verdict_count
  WHERE (@tenant IS NULL OR tenant = @tenant) AND (@domain IS NULL OR domain = @domain)
    AND hour >= @since AND hour <= @until
  ORDER BY tenant, domain, hour, reason, action, edge`;
const acceptedSql = 'SELECT at FROM last_accepted WHERE tenant = ? AND key = ?';
const rejectionsSql = `
  SELECT * FROM rejection
  WHERE (@tenant IS NULL OR tenant = @tenant) AND (@domain IS NULL OR domain = @domain)
    AND (@address IS NULL OR lower(address) = lower(@address)) AND at >= @since
  ORDER BY id DESC LIMIT @limit`;
const referenceSql = 'SELECT * FROM rejection WHERE reference = ? ORDER BY id DESC LIMIT 1';

function countParameters(filter: CountFilter): object {
  return {
    tenant: filter.tenant ?? null,
    domain: filter.domain ?? null,
    since: Math.floor((filter.since ?? 0) / hourMs),
    until: Math.floor((filter.until ?? Number.MAX_SAFE_INTEGER) / hourMs),
  };
}

function rejectionParameters(filter: RejectionFilter): object {
  return {
    tenant: filter.tenant ?? null,
    domain: filter.domain ?? null,
    address: filter.address ?? null,
    since: filter.since ?? 0,
    limit: filter.limit ?? 100,
  };
}

function toRejection(row: unknown): RejectionRow {
  const {
    id: _id,
    observed,
    ...rest
  } = row as Omit<RejectionRow, 'observed'> & { id: number; observed: number };
  return { ...rest, observed: observed !== 0 };
}

interface TrafficFile {
  read<T>(query: (connection: Connection) => T, otherwise: T): T;
  close(): void;
}

/** Opens when first asked, and anew when the writer has replaced the file. */
function createFile(path: string): TrafficFile {
  let open: { readonly connection: Connection; readonly inode: number } | undefined;

  function close(): void {
    open?.connection.close();
    open = undefined;
  }

  function connection(): Connection | undefined {
    const inode = statSync(path, { throwIfNoEntry: false })?.ino;
    if (open?.inode !== inode) close();
    if (inode === undefined) return undefined;
    open ??= { connection: openReadOnly(path), inode };
    return open.connection;
  }

  function read<T>(query: (connection: Connection) => T, otherwise: T): T {
    try {
      const current = connection();
      return current === undefined ? otherwise : query(current);
    } catch {
      close();
      return otherwise;
    }
  }

  return { read, close };
}

function openReadOnly(path: string): Connection {
  const connection = new Database(path, { readonly: true, fileMustExist: true, timeout: 500 });
  if (Number(connection.pragma('user_version', { simple: true })) === trafficVersion) return connection;
  connection.close();
  throw new Error('not a traffic.db of this version');
}
