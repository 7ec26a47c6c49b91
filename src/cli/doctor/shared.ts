/** Addresses that two sources claim: mostly right (a list beside a directory), sometimes a base or a filter that is too wide. */
import type { Config } from '../../config/schema.js';
import { findSource } from '../../store/sqlite/catalog.js';
import { countShared } from '../../store/sqlite/claims.js';
import type { Db } from '../../store/sqlite/open.js';
import { plural } from '../text.js';
import { ok, type Finding } from './finding.js';

export function checkShared(config: Config, db: Db): Finding[] {
  return pairsOf(config).flatMap(([one, other]) => {
    const [a, b] = [one, other].map((name) => findSource(db, config.sources[name]?.tenant ?? '', name));
    const shared = a === undefined || b === undefined ? 0 : countShared(db, a, b);
    if (shared === 0) return [];
    return [
      ok(
        `sources ${one}, ${other}`,
        `${plural(shared, 'address')} claimed by both: gone only when both let go`,
      ),
    ];
  });
}

/** Sources that are named together in some domain, each pair once. */
function pairsOf(config: Config): (readonly [string, string])[] {
  const pairs = new Map<string, readonly [string, string]>();
  for (const { sources } of Object.values(config.domains)) {
    const lists = sources.filter((name) => config.sources[name]?.kind !== 'smtp').sort();
    lists.forEach((one, index) => {
      for (const other of lists.slice(index + 1)) pairs.set(`${one} ${other}`, [one, other]);
    });
  }
  return [...pairs.values()];
}
