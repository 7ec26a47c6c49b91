/**
 * Sources of the same domains that are in error: while one cannot be read, nobody knows whom it would name, so what another takes
 * away may be on its way there. Their removals wait.
 */
import type { Config } from '../config/schema.js';
import { findSource } from '../store/sqlite/catalog.js';
import type { Db } from '../store/sqlite/open.js';
import { lastSyncEnd, type SyncEnd } from '../store/sqlite/run-records.js';
import { readsByItself } from './reading.js';

/** A sentence for each; empty when there is none. */
export function neighboursInError(config: Config, db: Db, name: string): string[] {
  return sharing(config, name).flatMap(({ neighbour, domain }) => {
    const source = config.sources[neighbour];
    const ref = source === undefined ? undefined : findSource(db, source.tenant, neighbour);
    const last = ref === undefined ? undefined : lastSyncEnd(db, ref);
    const error = last === undefined ? undefined : errorOf(last);
    return error === undefined
      ? []
      : [`removals wait: source ${neighbour}, which also speaks for ${domain}, is in error (${error})`];
  });
}

/** A list that was cut short may lack just those who have moved to it. */
function errorOf({ run, state, isShort }: SyncEnd): string | undefined {
  if (['failed', 'refused', 'interrupted'].includes(state)) return `run ${run} ${state}`;
  return isShort === 1 ? `run ${run} was not complete` : undefined;
}

/** Sources that name a domain together with this one, each with the first such domain. */
function sharing(config: Config, name: string): { readonly neighbour: string; readonly domain: string }[] {
  const found = new Map<string, string>();
  for (const [domain, { sources }] of Object.entries(config.domains)) {
    if (!sources.includes(name)) continue;
    for (const other of sources) {
      const options = config.sources[other];
      if (other === name || found.has(other) || options === undefined || !readsByItself(options)) continue;
      found.set(other, domain);
    }
  }
  return [...found].map(([neighbour, domain]) => ({ neighbour, domain }));
}
