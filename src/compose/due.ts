/**
 * Which sources are to be synced without waiting for their schedule: at the start of control, and after a reload.
 *
 * At a start: a source whose list was never read whole, one whose last sync failed (a stop may have cut it), and one whose
 * scheduled time passed while nobody was there; each once. A CSV source without a path or url never: its list
 * comes by upload, or is dropped into its folder.
 */
import type { Config } from '../config/schema.js';
import type { SourceConfig } from '../config/sources/sources.js';
import { findSource } from '../store/sqlite/catalog.js';
import { directoryPath, openDirectoryReader, type Db } from '../store/sqlite/open.js';
import { lastSyncEnd, lastSyncStart } from '../store/sqlite/run-records.js';
import type { SourceRef } from '../store/store.js';
import { firstSlotAfter } from '../sync/schedule-slots.js';
import { listOptions, readsByItself } from './reading.js';
import { changedPaths } from './reload.js';

export interface Due {
  readonly source: string;
  readonly why: string;
}

export function dueAtStart(config: Config, now: number): Due[] {
  const db = openDirectoryReader(directoryPath(config.dataDir));
  try {
    return Object.entries(config.sources).flatMap(([source, options]) => {
      const why = whyDue(db, source, options, now);
      return why === undefined ? [] : [{ source, why }];
    });
  } finally {
    db.close();
  }
}

function whyDue(db: Db, name: string, source: SourceConfig, now: number): string | undefined {
  if (!readsByItself(source)) return undefined;
  const ref = findSource(db, source.tenant, name);
  if (ref === undefined || !wasReadWhole(db, ref)) return 'never read whole';
  if (lastSyncEnd(db, ref)?.state === 'failed') return 'the last sync failed';
  const { schedule: expression, timezone } = source;
  if (expression === undefined || !source.catchUp) return undefined;
  const slot = firstSlotAfter({ expression, timezone }, lastSyncStart(db, ref) ?? 0, now);
  return slot === undefined ? undefined : `missed ${new Date(slot).toISOString()}`;
}

function wasReadWhole(db: Db, ref: SourceRef): boolean {
  const row = db
    .prepare<[number, number], number>('SELECT 1 FROM coverage WHERE tenant = ? AND source = ? LIMIT 1')
    .pluck()
    .get(ref.tenantId, ref.sourceId);
  return row !== undefined && lastSyncStart(db, ref) !== undefined;
}

/** Sources that are new or read otherwise, and those of a domain that is new or got another scope. */
export function dueAfterReload(next: Config, previous: Config): Due[] {
  const why = new Map<string, string>();
  for (const name of changedPaths(reading(previous), reading(next))) why.set(name, 'changed');
  for (const domain of changedPaths(scopes(previous), scopes(next))) {
    for (const source of next.domains[domain]?.sources ?? []) why.set(source, `domain ${domain} changed`);
  }
  return [...why].flatMap(([source, reason]) => {
    const options = next.sources[source];
    return options !== undefined && readsByItself(options) ? [{ source, why: reason }] : [];
  });
}

function reading({ sources }: Config): Record<string, unknown> {
  return Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, listOptions(source)]));
}

/** What decides which of a source's addresses belong to a domain. */
function scopes({ domains }: Config): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(domains).map(([name, { sources, includeSubdomains, tenant }]) => [
      name,
      { sources, includeSubdomains, tenant },
    ]),
  );
}
