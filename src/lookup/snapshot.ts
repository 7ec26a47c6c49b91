/**
 * An open lookup.db: what is in memory of it, and the one read behind each answer. Nothing here catches: reader.ts and
 * frozen.ts know what an error means to them.
 */
import Database from 'better-sqlite3';
import { lookupVersion, slotBase } from './schema.js';
import { createReadTurn, type ReadTurn } from './turn.js';

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

export interface SnapshotOptions {
  readonly path: string;
  /** Page cache in KiB. */
  readonly cacheKib?: number;
}

const none: readonly Slot[] = [];

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
export function openSnapshot(options: SnapshotOptions, inode: number): Opened {
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

export function dataVersion(db: Database.Database): number {
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
