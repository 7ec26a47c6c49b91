/** The domains: still observing, never synced, stale, without an address, open to everybody. */
import type { Config } from '../../config/schema.js';
import { domainTableOf } from '../../compose/domains.js';
import type { LookupView } from '../../lookup/reader.js';
import type { DomainPolicy } from '../../policy/domain-table.js';
import { freshnessOf } from '../../policy/freshness.js';
import { span } from '../text.js';
import { error, ok, warn, type Finding } from './finding.js';

export function checkDomainsOf(config: Config, lookup: LookupView | undefined, now: number): Finding[] {
  const { all } = domainTableOf(config);
  if (all.length === 0) {
    const mend = 'Add your mail domain under `domains`.';
    return [error('domains', 'none is configured', 'Rollcall answers for none, then.', mend)];
  }
  return all.flatMap((policy) => {
    const findings = [
      ...checkPolicy(policy),
      ...(lookup === undefined ? [] : checkFreshness(policy, lookup, now)),
    ];
    return findings.length > 0
      ? findings
      : [ok(`domain ${policy.domain}`, 'enforced, and its lists are fresh')];
  });
}

function checkPolicy({ domain, mode, catchAll }: DomainPolicy): Finding[] {
  const about = `domain ${domain}`;
  const findings: Finding[] = [];
  if (mode !== 'enforce') {
    const why =
      mode === 'off' ? 'Everything is accepted.' : 'Everything is accepted; rejections are only recorded.';
    const mend = `When \`rollcall stats --domain ${domain}\` looks right, set "mode": "enforce".`;
    findings.push(warn(about, `it is in mode ${mode}`, why, mend));
  }
  if (catchAll) {
    const why = 'Mail for nobody is accepted, and somebody has to bounce it.';
    findings.push(
      warn(
        about,
        'it accepts every local part (catchAll)',
        why,
        'Set "catchAll": false, and use `patterns`.',
      ),
    );
  }
  return findings;
}

function checkFreshness(policy: DomainPolicy, lookup: LookupView, now: number): Finding[] {
  const { domain, mode, sources, tenant } = policy;
  if (mode === 'off') return [];
  const about = `domain ${domain}`;
  const level = mode === 'enforce' ? error : warn;
  const home = policy.aliasOf ?? domain;
  const freshness = freshnessOf(lookup, policy, home, now);
  if (freshness === 'fresh') return [];
  const coverages = sources.map((source) => ({ source, coverage: lookup.coverage(tenant, source, home) }));
  const uncovered = coverages.filter(({ coverage }) => coverage === undefined).map(({ source }) => source);
  const why = `Everybody whom no list names gets ${policy.whenStale === 'defer' || freshness === 'never-synced' ? '"try again later"' : 'in'}.`;
  if (sources.length === 0) return [level(about, 'it has no source', why, 'Name its sources in `sources`.')];
  if (uncovered.length > 0) {
    const what = `no complete list of ${uncovered.join(', ')} covers it yet`;
    return [
      level(about, what, why, `Run \`rollcall sync ${uncovered[0] ?? 'SOURCE'}\` and look at what it says.`),
    ];
  }
  if (freshness === 'never-synced') {
    const mend =
      'Is the domain spelt right, and do the lists have addresses in it? An empty list makes nobody unknown.';
    return [level(about, 'no source names an address in it', why, mend)];
  }
  const old = coverages.filter(
    ({ coverage }) => coverage !== undefined && now - coverage.completeAt > policy.staleAfterMs,
  );
  const what =
    old.length > 0
      ? `the list of ${old.map(({ source }) => source).join(', ')} is older than staleAfter (${span(policy.staleAfterMs)})`
      : 'additions are held, so a list is not complete';
  return [level(about, what, why, '`rollcall runs` says what became of the last runs.')];
}
