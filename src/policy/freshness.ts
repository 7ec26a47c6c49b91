/**
 * Freshness: whether the lists of a domain are fresh and complete enough to say that somebody is unknown. Pure.
 *
 * Every source of the domain must have covered it in a complete read that is younger than `staleAfter`, with none of its
 * additions held, and must have named an address there: a source that speaks for a domain and names nobody in it looks in
 * the wrong place. An empty list makes nobody unknown.
 */
import type { LookupView } from '../lookup/reader.js';
import type { DomainPolicy } from './domain-table.js';

export type Freshness = 'fresh' | 'stale' | 'never-synced';

/** A read "from the future" means that a clock was wrong: its age is not known. */
const clockSlackMs = 10 * 60_000;

/**
 * `asked` is the domain of the recipient: the policy's own, or a subdomain. For an alias domain the lists must have covered
 * the target too, as its local parts hold here.
 */
export function freshnessOf(lookup: LookupView, policy: DomainPolicy, asked: string, now: number): Freshness {
  const own = asked === policy.domain ? policy.domain : `*.${policy.domain}`;
  // addresses of these count; the parent's do for a subdomain, as one without any of its own is nothing unusual
  const counted = policy.aliasOf === undefined ? [own, policy.domain] : [own, policy.domain, policy.aliasOf];
  const required = policy.aliasOf === undefined ? [own] : [own, policy.aliasOf];
  let stale = false;
  for (const source of policy.sources) {
    for (const domain of required) {
      const coverage = lookup.coverage(policy.tenant, source, domain);
      if (coverage === undefined) return 'never-synced';
      const age = now - coverage.completeAt;
      if (coverage.pending || age > policy.staleAfterMs || age < -clockSlackMs) stale = true;
    }
    const named = counted.some(
      (domain) => (lookup.coverage(policy.tenant, source, domain)?.addresses ?? 0) > 0,
    );
    if (!named) return 'never-synced';
  }
  if (policy.sources.length === 0) return 'never-synced';
  return stale ? 'stale' : 'fresh';
}
