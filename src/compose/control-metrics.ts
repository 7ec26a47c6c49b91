/**
 * The metrics of control: the store, the runs, the published list, and what the edges have answered, read from
 * traffic.db. Read when they are asked for; what cannot be read is left out of that answer, not guessed.
 */
import { callAheadMetrics } from './call-ahead-metrics.js';
import { liveMetrics } from './live-metrics.js';
import type { LookupFigures } from '../live/lookups.js';
import { openDirectoryReader, type Db } from '../store/sqlite/open.js';
import { counter, createMetrics, gauge } from '../telemetry/metrics.js';
import type { TrafficReader } from '../traffic/reader.js';
import { generationOf } from '../store/sqlite/meta.js';

export interface ControlMetricsOptions {
  readonly directoryFile: string;
  readonly lookupGeneration: () => number | undefined;
  readonly traffic: TrafficReader;
  /** `callahead.db`; it need not be there. */
  readonly callAheadFile?: string;
  /** Of live look-ups; absent where there are none. */
  readonly live?: () => readonly LookupFigures[];
  readonly now?: () => number;
}

/** Returns what `/metrics` answers. */
export function createControlMetrics(options: ControlMetricsOptions): () => Promise<string> {
  const now = options.now ?? Date.now;
  const registry = createMetrics();
  const directory = gauge(
    registry,
    'rollcall_generation',
    'Generation of directory.db: grows with each change',
  );
  const published = gauge(
    registry,
    'rollcall_lookup_generation',
    'Generation of the list that the edges read',
  );
  const age = gauge(
    registry,
    'rollcall_source_age_seconds',
    'Seconds since the last complete read of a source began (the oldest of its domains)',
    ['tenant', 'source'],
  );
  const runs = gauge(registry, 'rollcall_runs', 'Runs in the history', ['tenant', 'source', 'state']);
  const held = gauge(registry, 'rollcall_held_runs', 'Runs whose held part waits for approval', [
    'tenant',
    'source',
  ]);
  const verdicts = counter(registry, 'rollcall_verdicts_total', 'Answers of the edges', [
    'tenant',
    'domain',
    'edge',
    'action',
    'reason',
  ]);
  const readCallAhead =
    options.callAheadFile === undefined ? undefined : callAheadMetrics(registry, options.callAheadFile);
  const readLive = options.live === undefined ? undefined : liveMetrics(registry, options.live);
  const countVerdicts = verdictCounter(options.traffic, now, (labels, by) => verdicts.inc(labels, by));

  function readDirectory(db: Db): void {
    directory.set(generationOf(db));
    for (const row of ages(db))
      age.set({ tenant: row.tenant, source: row.source }, (now() - row.value) / 1000);
    for (const { value, ...labels } of runCounts(db)) runs.set(labels, value);
    for (const row of heldCounts(db)) held.set({ tenant: row.tenant, source: row.source }, row.value);
  }

  return async () => {
    for (const metric of [age, runs, held]) metric.reset();
    // a gauge without labels is reset to 0, which would be a generation
    for (const metric of [directory, published]) metric.remove();
    try {
      const db = openDirectoryReader(options.directoryFile);
      try {
        readDirectory(db);
      } finally {
        db.close();
      }
    } catch {
      for (const metric of [age, runs, held]) metric.reset();
      directory.remove();
    }
    const generation = options.lookupGeneration();
    if (generation !== undefined) published.set(generation);
    countVerdicts();
    readCallAhead?.();
    readLive?.();
    return registry.metrics();
  };
}

interface Row {
  readonly tenant: string;
  readonly source: string;
  readonly state: string;
  readonly value: number;
}

const names = 'JOIN tenant t ON t.tenant = x.tenant JOIN source s ON s.source = x.source';

function ages(db: Db): Row[] {
  return db
    .prepare<[], Row>(
      `SELECT t.name AS tenant, s.name AS source, MIN(x.complete_at) AS value FROM coverage x ${names} GROUP BY 1, 2`,
    )
    .all();
}

function runCounts(db: Db): Row[] {
  return db
    .prepare<[], Row>(
      `SELECT t.name AS tenant, s.name AS source, x.state, COUNT(*) AS value FROM run x ${names} GROUP BY 1, 2, 3`,
    )
    .all();
}

function heldCounts(db: Db): Row[] {
  return db
    .prepare<[], Row>(
      `SELECT t.name AS tenant, s.name AS source, COUNT(*) AS value FROM run x ${names}
       WHERE x.resolution = 'pending' GROUP BY 1, 2`,
    )
    .all();
}

type VerdictLabels = Record<'tenant' | 'domain' | 'edge' | 'action' | 'reason', string>;

const hourMs = 3_600_000;

/**
 * traffic.db keeps hourly sums and drops old ones; a counter must never fall. So it counts what was added to each hour
 * since it last looked, beginning with what was there at the start.
 */
function verdictCounter(
  traffic: TrafficReader,
  now: () => number,
  add: (labels: VerdictLabels, by: number) => void,
): () => void {
  let seen = readHours(traffic, now() - hourMs);
  let lookedAt = now();
  return () => {
    const current = readHours(traffic, lookedAt - hourMs);
    lookedAt = now();
    for (const [id, { labels, count }] of current) {
      const more = count - (seen.get(id)?.count ?? 0);
      if (more > 0) add(labels, more);
    }
    seen = current;
  };
}

function readHours(
  traffic: TrafficReader,
  since: number,
): Map<string, { readonly labels: VerdictLabels; readonly count: number }> {
  return new Map(
    traffic.counts({ since }).map(({ tenant, domain, edge, action, reason, hour, count }) => {
      const labels = { tenant, domain, edge, action, reason };
      return [[hour, ...Object.values(labels)].join('\n'), { labels, count }];
    }),
  );
}
