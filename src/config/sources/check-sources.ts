/** Checks of sources: each kind's own (one file each), canaries, and whether anybody uses them. */
import { error, warning, type CheckFinding } from '../findings.js';
import { domainKey } from '../domain-name.js';
import type { DomainConfig } from '../domain.js';
import type { Path } from '../json.js';
import type { Config } from '../schema.js';
import { csvChecks } from './check-csv.js';
import { graphChecks } from './check-graph.js';
import { ldapChecks } from './check-ldap.js';
import { smtpChecks } from './check-smtp.js';
import type { ListSourceConfig, SourceConfig } from './sources.js';

export function checkSources(config: Config): CheckFinding[] {
  const places = placesOf(config);
  const used = new Set(Object.values(config.domains).flatMap((domain) => domain.sources));
  return Object.entries(config.sources).flatMap(([name, source]) => {
    const path = ['sources', name];
    return [
      ...kindChecks(config, source, path),
      ...(used.has(name) ? [] : [warning(path, `no domain names this source: ${idle(source)}`)]),
      ...(source.kind === 'smtp' ? [] : canaryChecks(places, source, path)),
    ];
  });
}

function kindChecks(config: Config, source: SourceConfig, path: Path): CheckFinding[] {
  switch (source.kind) {
    case 'ldap':
      return ldapChecks(source, path);
    case 'graph':
      return graphChecks(source, path);
    case 'csv':
      return csvChecks(source, path);
    case 'smtp':
      return smtpChecks(config, source, path);
  }
}

function idle({ kind }: SourceConfig): string {
  return kind === 'smtp' ? 'it is never asked' : 'its list decides nothing';
}

function canaryChecks(places: Places, { tenant, guard }: ListSourceConfig, path: Path): CheckFinding[] {
  return guard.canaries.flatMap((canary, index) => {
    const key = domainKey(canary.slice(canary.lastIndexOf('@') + 1));
    if (key !== undefined && isAnswered(places, tenant, key)) return [];
    const message = 'is in no domain of this tenant: it would never be found, and no removal ever made';
    return [error([...path, 'guard', 'canaries', index], message)];
  });
}

/** `tenant/domain` of every domain; those that answer for their subdomains apart. */
interface Places {
  readonly exact: ReadonlySet<string>;
  readonly wide: ReadonlySet<string>;
}

function placesOf(config: Config): Places {
  const keys = (domains: readonly [string, DomainConfig][]) =>
    new Set(domains.map(([name, { tenant }]) => `${tenant}/${domainKey(name) ?? name}`));
  const all = Object.entries(config.domains);
  return { exact: keys(all), wide: keys(all.filter(([, domain]) => domain.includeSubdomains)) };
}

function isAnswered({ exact, wide }: Places, tenant: string, key: string): boolean {
  const labels = key.split('.');
  const parents = labels.slice(1).map((_, index) => labels.slice(index + 1).join('.'));
  return exact.has(`${tenant}/${key}`) || parents.some((parent) => wide.has(`${tenant}/${parent}`));
}
