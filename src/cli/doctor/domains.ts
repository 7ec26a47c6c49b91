/** The domains: still observing, never synced, stale, without an address, open to everybody. */
import type { Config } from '../../config/schema.js';
import { domainTableOf } from '../../compose/domains.js';
import type { LookupView } from '../../lookup/reader.js';
import type { Coverage } from '../../lookup/snapshot.js';
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
      : [
          ok(
            `domain ${policy.domain}`,
            `enforced, and ${policy.isAskedOnly ? 'its mail server is asked' : 'its lists are fresh'}`,
          ),
        ];
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
  const { domain, mode, sources, staleAfterMs } = policy;
  const freshness = mode === 'off' || policy.isAskedOnly ? 'fresh' : freshnessOf(lookup, policy, domain, now);
  if (freshness === 'fresh') return [];
  const why = `Everybody whom no list names gets ${policy.whenStale === 'defer' || freshness === 'never-synced' ? '"try again later"' : 'in'}.`;
  const finding = (what: string, mend: string): Finding[] => [
    (mode === 'enforce' ? error : warn)(`domain ${domain}`, what, why, mend),
  ];
  if (sources.length === 0) return finding('it has no source', 'Name its sources in `sources`.');
  // an alias domain needs its target's list too
  const homes = policy.aliasOf === undefined ? [domain] : [domain, policy.aliasOf];
  const lists = sources.map((source) => ({
    source,
    coverages: homes.map((home) => lookup.coverage(policy.tenant, source, home)),
  }));
  const where = (is: (coverages: readonly (Coverage | undefined)[]) => boolean): string[] =>
    lists.filter(({ coverages }) => is(coverages)).map(({ source }) => source);

  const uncovered = where((coverages) => coverages.includes(undefined));
  if (uncovered.length > 0) {
    const mend = `Run \`rollcall sync ${uncovered[0] ?? 'SOURCE'}\` and look at what it says.`;
    return finding(`no complete list of ${uncovered.join(', ')} covers it yet`, mend);
  }
  const silent = where((coverages) => coverages.every((coverage) => coverage?.addresses === 0));
  if (silent.length > 0) return finding(...silence(silent, sources.length));
  const old = where((coverages) =>
    coverages.some((coverage) => coverage !== undefined && now - coverage.completeAt > staleAfterMs),
  );
  const what =
    old.length > 0
      ? `the list of ${old.join(', ')} is older than staleAfter (${span(staleAfterMs)})`
      : 'additions are held, so a list is not complete';
  return finding(what, '`rollcall runs` says what became of the last runs.');
}

/** What is wrong when sources name nobody in a domain for which they speak, and how to mend it. */
function silence(silent: readonly string[], all: number): [what: string, mend: string] {
  const takeOut = "take it out of the domain's `sources`, or mend what it reads.";
  if (silent.length < all)
    return [
      `${silent.join(', ')} names no address in it`,
      `A source of the domain names nobody there: ${takeOut}`,
    ];
  return [
    'no source names an address in it',
    `Is the domain spelt right? If a source has nobody there, ${takeOut} An empty list makes nobody unknown.`,
  ];
}
