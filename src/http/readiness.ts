/**
 * Readiness: whether fresh verdicts can be given, domain by domain. Pure, but for the clock it is handed.
 *
 * Ready when a snapshot is there and every domain that is asked for has lists fresh enough to deny somebody. A domain
 * that is `off` needs none, nor does one whose own mail server is asked.
 */
import type { LookupView } from '../lookup/reader.js';
import type { DomainPolicy, DomainTable } from '../policy/domain-table.js';
import { freshnessOf } from '../policy/freshness.js';
import type { DomainReadiness, Readiness } from './options.js';

export function readinessOf(domains: DomainTable, lookup: LookupView, now: number): Readiness {
  const hasSnapshot = lookup.generation() !== undefined;
  const states = domains.all.map((policy) => domainReadiness(policy, lookup, now));
  return { ready: hasSnapshot && states.every(({ ready }) => ready), domains: states };
}

function domainReadiness(policy: DomainPolicy, lookup: LookupView, now: number): DomainReadiness {
  const state = stateOf(policy, lookup, now);
  return {
    domain: policy.domain,
    tenant: policy.tenant,
    ready: state === 'off' || state === 'asked' || state === 'fresh',
    state,
  };
}

function stateOf(policy: DomainPolicy, lookup: LookupView, now: number): string {
  if (policy.mode === 'off') return 'off';
  return policy.isAskedOnly ? 'asked' : freshnessOf(lookup, policy, policy.domain, now);
}
