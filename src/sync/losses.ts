/** What a plan takes from each domain, for the guard. Reads the staged difference. */
import { readCoverage } from '../store/sqlite/coverage.js';
import { countWanted, keysOf, lostKeys, repeatedKeys } from '../store/sqlite/diff-facts.js';
import type { Plan, PlanPart } from '../store/store.js';
import type { DomainLoss } from './guard.js';
import type { RunDeps } from './request.js';
import type { RunPart } from './run-part.js';
import type { Scope } from './scope.js';

/** `leftIn`: how many addresses a covered domain has after the plan. */
export function lossesOf({ deps, request }: RunPart, leftIn: (domain: string) => number): DomainLoss[] {
  const covered = readCoverage(deps.db, request.ref);
  const lost = countByDomain(lostKeys(deps.db), request.scope);
  return request.scope.covers
    .map((domain) => ({
      domain,
      before: covered.get(domain)?.addresses ?? 0,
      since: covered.get(domain)?.removedSince ?? 0,
      lost: lost.get(domain) ?? 0,
      left: leftIn(domain),
    }))
    .filter(({ lost: n, left, before: had }) => n > 0 || (left <= 0 && had > 0));
}

interface Where {
  readonly deps: Pick<RunDeps, 'db'>;
  readonly request: { readonly scope: Scope };
}

/** By covered domain: claims that come, claims that go, and addresses taken away. With removals held only moved claims go. */
export function gainsAndLosses(
  { deps, request }: Where,
  hold: readonly PlanPart[] = [],
): {
  readonly gained: Map<string, number>;
  readonly lost: Map<string, number>;
  readonly removed: Map<string, number>;
} {
  const isHeld = hold.includes('removals');
  const gone = isHeld ? '=' : '-=';
  return {
    removed: isHeld ? new Map<string, number>() : countByDomain(lostKeys(deps.db), request.scope),
    gained: countByDomain(keysOf(deps.db, '+'), request.scope),
    lost: countByDomain(keysOf(deps.db, gone), request.scope),
  };
}

/** How many addresses a read of everything named in each covered domain: `staged`, less what came more than once. */
export function namedByDomain(
  { deps, request }: Where,
  plan: Plan,
  staged: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const all = [...staged.values()].reduce((sum, n) => sum + n, 0);
  if (all === countWanted(deps.db, plan)) return staged;
  const named = new Map(staged);
  for (const { key, more } of repeatedKeys(deps.db)) {
    const covered = request.scope.coveredBy(domainOf(key));
    if (covered !== undefined) named.set(covered, (named.get(covered) ?? 0) - more);
  }
  return named;
}

function countByDomain(keys: Iterable<string>, scope: Scope): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) {
    const covered = scope.coveredBy(domainOf(key));
    if (covered !== undefined) counts.set(covered, (counts.get(covered) ?? 0) + 1);
  }
  return counts;
}

function domainOf(key: string): string {
  return key.slice(key.lastIndexOf('@') + 1);
}
