/**
 * Which domains a file can speak for. Pure.
 *
 * A mail server refuses whoever is not in its file. So a domain fits only if the file can name everybody that Rollcall
 * takes there, which no list of names can where anything is taken; and only while its lists are fresh and complete, as
 * nothing in a file says "not now" of an address that nobody has named.
 */
import type { LookupView } from '../lookup/reader.js';
import type { DomainPolicy, DomainTable } from '../policy/domain-table.js';
import { freshnessOf } from '../policy/freshness.js';

export interface Unfit {
  readonly domain: string;
  readonly why: string;
}

/** Domains for which a file would refuse people whom Rollcall takes, whatever their lists say. */
export function unsayable(domains: readonly DomainPolicy[], table: DomainTable): Unfit[] {
  return domains.flatMap((policy) => {
    const target = policy.aliasOf === undefined ? undefined : table.find(policy.aliasOf);
    const why = whyUnsayable(policy) ?? (target === undefined ? undefined : ofTarget(target));
    return why === undefined ? [] : [{ domain: policy.domain, why }];
  });
}

/** Domains whose subaddresses the mail server would not take apart as Rollcall does, and would refuse. */
export function uncut(domains: readonly DomainPolicy[], cutsAt: 'plus' | 'one' | 'all' | undefined): Unfit[] {
  if (cutsAt !== 'plus' && cutsAt !== 'one') return [];
  const first = domains.find(({ subaddress }) => subaddress.length > 0)?.subaddress[0];
  const only = cutsAt === 'plus' ? '+' : first;
  return domains.flatMap(({ domain, subaddress }) => {
    if (subaddress.every((delimiter) => delimiter === only)) return [];
    const own = subaddress.map((delimiter) => `"${delimiter}"`).join(', ');
    const one = cutsAt === 'plus' ? 'at "+" only' : `at one delimiter for all domains ("${only ?? ''}" here)`;
    return [{ domain, why: `its subaddress delimiter is ${own}, and this mail server cuts ${one}` }];
  });
}

function whyUnsayable(policy: DomainPolicy): string | undefined {
  if (policy.mode !== 'enforce')
    return `its mode is "${policy.mode}": everybody is taken there, and a file would refuse whoever it does not name`;
  if (policy.includeSubdomains)
    return 'it includes subdomains, where postmaster and others are always known: a file cannot name them all';
  return ofTarget(policy);
}

function ofTarget(policy: DomainPolicy): string | undefined {
  if (policy.catchAll)
    return `"catchAll" is set${of(policy)}: everybody is taken there, and a file would refuse whoever it does not name`;
  if (policy.callAhead.length > 0)
    return `its own mail server is asked about whom no list knows${of(policy)}: a file cannot name those`;
  if (policy.hasPatterns)
    return `it has "patterns"${of(policy)}: a file cannot name all addresses they match`;
  return undefined;
}

function of(policy: DomainPolicy): string {
  return ` (${policy.domain})`;
}

/** Domains whose lists make nobody unknown now: for the time being the file must stay as it is. */
export function notFresh(domains: readonly DomainPolicy[], lookup: LookupView, now: number): Unfit[] {
  return domains.flatMap((policy) => {
    const freshness = freshnessOf(lookup, policy, policy.domain, now);
    if (freshness === 'fresh') return [];
    const why =
      freshness === 'stale'
        ? 'its list is out of date or not complete'
        : 'a list of it was never read whole, or names nobody there';
    return [{ domain: policy.domain, why }];
  });
}

/** Domains of ours that the mail server would look for in the file, as it stands for their parent's subdomains too. */
export function swallowed(domains: readonly DomainPolicy[], table: DomainTable): Unfit[] {
  const names = new Set(domains.map(({ domain }) => domain));
  return table.all.flatMap(({ domain }) => {
    const parent = [...names].find((name) => domain.endsWith(`.${name}`));
    if (parent === undefined || names.has(domain)) return [];
    return [
      { domain, why: `it is not in the file, but below ${parent}, whose entry refuses everybody below it` },
    ];
  });
}
