/**
 * The edges' side of lookup.db: one prepared, indexed read a question, and the freshness of each source in memory.
 *
 * Promises: read-only; `find` throws when the file is missing or damaged, which the policy answers with a defer; a file
 * that was replaced is opened again by `refresh`, which the composition root calls every half second, so that nothing but
 * the one read is on the hot path. A damaged file is marked for control to build anew.
 */
import { statSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { messageOf, RollcallError } from '../errors.js';
import { isDamage } from './mark.js';
import { createReadTurn, type ReadTurn } from './turn.js';
import { damagedMarkerPath, lookupVersion, slotBase } from './schema.js';

/** What one source says, or said until lately, of a key. */
export interface Slot {
  /** Name of the source. */
  readonly source: string;
  readonly flags: number;
  /** When the source's last claim went, in ms; only with slotFlags.removed. */
  readonly removedAt: number | null;
  /** Spellings that differ in the case of the local part, or null when there is only the key itself. */
  readonly spellings: string | null;
}

export interface Coverage {
  readonly completeAt: number;
  readonly addresses: number;
  readonly pending: boolean;
}

/** What policy needs to know of the lists. */
export interface LookupView {
  /** The slots of a key; empty when nobody knows it. Throws when the snapshot cannot be read. */
  find(tenant: string, key: string): readonly Slot[];
  /** For which state of which source's list a domain (or `*.domain`) is covered; undefined when it never was. */
  coverage(tenant: string, source: string, domain: string): Coverage | undefined;
  /** Generation of the snapshot; undefined when there is none. */
  generation(): number | undefined;
}

export interface LookupReader extends LookupView {
  /** Opens a replaced file, reads sources and coverage again when they changed. Never throws. */
  refresh(): void;
  close(): void;
}

/** A plain slot as its number, or any slots as JSON. */
type Value = number | string;

/** An open snapshot, and everything of it but the recipients in memory. */
export interface Opened {
  readonly db: Database.Database;
  readonly select: Database.Statement<[number, string], Value>;
  readonly turn: ReadTurn;
  readonly inode: number;
  dataVersion: number;
  generation: number;
  tenants: Map<string, number>;
  sources: string[];
  coverage: Map<string, Coverage>;
  plain: Map<number, readonly Slot[]>;
}

export interface LookupOptions {
  readonly path: string;
  /** Told once of each change for the worse or the better: a message for the log. */
  readonly onState?: (state: 'open' | 'unavailable', detail: string) => void;
  /** Page cache in KiB. */
  readonly cacheKib?: number;
}

const none: readonly Slot[] = [];

export function openLookup(options: LookupOptions): LookupReader {
  let opened: Opened | undefined;
  let trouble = '';

  function fail(error: unknown): void {
    const detail = messageOf(error);
    close();
    if (isDamage(error)) markDamaged(options.path, detail);
    if (detail !== trouble) options.onState?.('unavailable', detail);
    trouble = detail;
  }

  function close(): void {
    try {
      opened?.db.close();
    } catch {
      // a damaged file may not close cleanly; there is nothing to save in it
    }
    opened = undefined;
  }

  function refresh(): void {
    try {
      const inode = statSync(options.path).ino;
      if (opened !== undefined && opened.inode !== inode) close();
      opened?.turn.end();
      if (opened === undefined) {
        opened = openSnapshot(options, inode);
        trouble = '';
        options.onState?.('open', `generation ${opened.generation}`);
      } else if (dataVersion(opened.db) !== opened.dataVersion) {
        Object.assign(opened, readState(opened.db));
      }
    } catch (error) {
      fail(error);
    }
  }

  function find(tenant: string, key: string): readonly Slot[] {
    if (opened === undefined) throw new RollcallError('store', `${options.path} cannot be read: ${trouble}`);
    try {
      opened.turn.enter();
      return findIn(opened, tenant, key);
    } catch (error) {
      fail(error);
      throw error;
    }
  }

  refresh();
  return {
    find,
    refresh,
    close,
    coverage: (tenant, source, domain) =>
      opened === undefined ? undefined : coverageIn(opened, tenant, source, domain),
    generation: () => opened?.generation,
  };
}

/** The slots of a key. Throws what SQLite throws. */
export function findIn(opened: Opened, tenant: string, key: string): readonly Slot[] {
  const tenantId = opened.tenants.get(tenant);
  if (tenantId === undefined) return none;
  const value = opened.select.get(tenantId, key);
  if (value === undefined) return none;
  return typeof value === 'number' ? plainSlot(opened, value) : slotsOf(value, opened.sources);
}

export function coverageIn(
  { coverage }: Opened,
  tenant: string,
  source: string,
  domain: string,
): Coverage | undefined {
  return coverage.get(coverageKey(tenant, source, domain));
}

/** Plain slots are few (sources times flags), so each is made once. */
function plainSlot(opened: Opened, value: number): readonly Slot[] {
  let slots = opened.plain.get(value);
  if (slots === undefined) {
    const source = opened.sources[Math.floor(value / slotBase)] ?? '';
    slots = [{ source, flags: value % slotBase, removedAt: null, spellings: null }];
    opened.plain.set(value, slots);
  }
  return slots;
}

function slotsOf(json: string, sources: readonly string[]): readonly Slot[] {
  const slots = JSON.parse(json) as [number, number, number | null, string | null][];
  return slots.map(([source, flags, removedAt, spellings]) => ({
    source: sources[source] ?? '',
    flags,
    removedAt,
    spellings,
  }));
}

/** Throws when the file is missing, damaged, or of another version. */
export function openSnapshot(options: LookupOptions, inode: number): Opened {
  const db = new Database(options.path, { readonly: true, fileMustExist: true });
  try {
    const version: unknown = db.pragma('user_version', { simple: true });
    if (version !== lookupVersion) throw new Error(`it has version ${String(version)}, not ${lookupVersion}`);
    db.pragma(`cache_size = -${options.cacheKib ?? 16_384}`);
    const select = db
      .prepare<[number, string], Value>(
        'SELECT COALESCE(slots, slot) FROM recipient WHERE tenant = ? AND key = ?',
      )
      .pluck();
    return { db, select, turn: createReadTurn(db), inode, ...readState(db) };
  } catch (error) {
    db.close();
    throw error;
  }
}

function dataVersion(db: Database.Database): number {
  return Number(db.pragma('data_version', { simple: true }));
}

function coverageKey(tenant: string, source: string, domain: string): string {
  return `${tenant}\n${source}\n${domain}`;
}

interface CoverageRow {
  readonly tenant: string;
  readonly source: string;
  readonly domain: string;
  readonly complete_at: number;
  readonly addresses: number;
  readonly pending: number;
}

/** Everything but the recipients, as of one snapshot. */
export function readState(
  db: Database.Database,
): Pick<Opened, 'dataVersion' | 'generation' | 'tenants' | 'sources' | 'coverage' | 'plain'> {
  const version = dataVersion(db);
  return db.transaction(() => {
    const tenants = db.prepare<[], { tenant: number; name: string }>('SELECT tenant, name FROM tenant').all();
    const sources: string[] = [];
    for (const row of db
      .prepare<[], { source: number; name: string }>('SELECT source, name FROM source')
      .all()) {
      sources[row.source] = row.name;
    }
    const coverage = new Map<string, Coverage>();
    const rows = db
      .prepare<[], CoverageRow>(
        `SELECT t.name AS tenant, s.name AS source, c.domain, c.complete_at, c.addresses, c.pending
         FROM coverage c JOIN tenant t ON t.tenant = c.tenant JOIN source s ON s.source = c.source`,
      )
      .all();
    for (const row of rows) {
      coverage.set(coverageKey(row.tenant, row.source, row.domain), {
        completeAt: row.complete_at,
        addresses: row.addresses,
        pending: row.pending !== 0,
      });
    }
    const generation =
      db.prepare<[], number>("SELECT value FROM meta WHERE name = 'generation'").pluck().get() ?? 0;
    return {
      dataVersion: version,
      generation,
      tenants: new Map(tenants.map((t) => [t.name, t.tenant])),
      sources,
      coverage,
      plain: new Map(),
    };
  })();
}

function markDamaged(path: string, detail: string): void {
  try {
    writeFileSync(damagedMarkerPath(path), `${detail}\n`);
  } catch {
    // the marker is a hint to control; without it control finds the damage at its next check
  }
}
