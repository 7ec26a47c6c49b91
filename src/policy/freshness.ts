/**
 * Freshness: whether the lists of a domain are fresh and complete enough to say that somebody is unknown. Pure.
 *
 * Every source of the domain must have covered it in a complete read that is younger than `staleAfter`, with none of its
 * additions held; and at least one of them must have named an address there. An empty list makes nobody unknown.
 */
import type { LookupView } from '../lookup/reader.js';
import type { DomainPolicy } from './domain-table.js';

export type Freshness = 'fresh' | 'stale' | 'never-synced';

/** A read "from the future" means that a clock was wrong: its age is not known. */
const clockSlackMs = 10 * 60_000;

/** `domain` is the one asked for: the policy's own, its alias target, or a subdomain. */
export function freshnessOf(
  lookup: LookupView,
  policy: DomainPolicy,
  domain: string,
  now: number,
): Freshness {
  const isSubdomain = domain !== policy.domain && domain !== policy.aliasOf;
  let addresses = 0;
  let result: Freshness = policy.sources.length > 0 ? 'fresh' : 'never-synced';
  for (const source of policy.sources) {
    const home = lookup.coverage(policy.tenant, source, isSubdomain ? policy.domain : domain);
    const coverage = isSubdomain ? lookup.coverage(policy.tenant, source, `*.${policy.domain}`) : home;
    if (coverage === undefined) return 'never-synced';
    const age = now - coverage.completeAt;
    if (coverage.pending || age > policy.staleAfterMs || age < -clockSlackMs) result = 'stale';
    addresses += coverage.addresses + (isSubdomain ? (home?.addresses ?? 0) : 0);
  }
  return addresses === 0 ? 'never-synced' : result;
}
