/**
 * Checks of sources: who they bind as, over what, and whether anybody uses them.
 */
import { error, warning } from './findings.js';
import type { CheckFinding } from './findings.js';
import { domainKey } from './domain-name.js';
import type { DomainConfig } from './domain.js';
import type { Path } from './json.js';
import { isLoopback } from './listen-address.js';
import type { Config } from './schema.js';
import { smtpChecks } from './check-smtp.js';
import type { CsvSourceConfig, LdapSourceConfig, ListSourceConfig, SourceConfig } from './source.js';

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
    case 'csv':
      return csvChecks(source, path);
    case 'smtp':
      return smtpChecks(config, source, path);
  }
}

function idle({ kind }: SourceConfig): string {
  return kind === 'smtp' ? 'it is never asked' : 'its list decides nothing';
}

function ldapChecks(source: LdapSourceConfig, path: Path): CheckFinding[] {
  return [...bindChecks(source, path), ...tlsChecks(source, path), ...plaintextChecks(source, path)];
}

function bindChecks({ bindDn, bindPassword }: LdapSourceConfig, path: Path): CheckFinding[] {
  if (bindDn === undefined && bindPassword === undefined) {
    return [warning(path, 'binds anonymously: most directories then show only a part, or nothing')];
  }
  // RFC 4513 §5.1.2: a name without a password is an "unauthenticated" bind, which succeeds as anonymous.
  if (bindPassword === undefined) return [error([...path, 'bindPassword'], 'must be set, as "bindDn" is')];
  return bindDn === undefined ? [error([...path, 'bindDn'], 'must be set, as "bindPassword" is')] : [];
}

function tlsChecks({ url, startTls, tls }: LdapSourceConfig, path: Path): CheckFinding[] {
  const secure = url.some((each) => isLdaps(each));
  const both = startTls && secure;
  const unused = !secure && !startTls && (tls.ca !== undefined || tls.servername !== undefined);
  return [
    ...(both
      ? [
          error(
            [...path, 'startTls'],
            'an ldaps:// connection is encrypted already: use ldap:// or leave it out',
          ),
        ]
      : []),
    ...(unused
      ? [error([...path, 'tls'], 'has no effect on ldap://: use ldaps:// or "startTls": true')]
      : []),
    ...(tls.verify
      ? []
      : [warning([...path, 'tls', 'verify'], 'anyone between here and the directory can read the password')]),
  ];
}

function plaintextChecks(
  { url, startTls, allowUnencrypted, bindPassword }: LdapSourceConfig,
  path: Path,
): CheckFinding[] {
  if (startTls || bindPassword === undefined) return [];
  const open = url.filter((each) => !isLdaps(each) && !isLoopback(new URL(each).hostname));
  if (open.length === 0) return [];
  if (allowUnencrypted)
    return [warning([...path, 'allowUnencrypted'], 'the password of "bindDn" travels unencrypted')];
  const message =
    'would send the password unencrypted: use ldaps://, "startTls": true, or "allowUnencrypted": true';
  return [error([...path, 'url'], `${open.join(' and ')} ${message}`)];
}

function isLdaps(url: string): boolean {
  return url.toLowerCase().startsWith('ldaps:');
}

function csvChecks(source: CsvSourceConfig, path: Path): CheckFinding[] {
  const columns = Object.keys(source.columns).length > 0 && source.header === false;
  const nothing = source.schedule !== undefined && source.path === undefined;
  return [
    ...(nothing
      ? [error([...path, 'schedule'], 'needs a "path" to read: a source without one only takes uploads')]
      : []),
    ...(columns
      ? [error([...path, 'columns'], 'names columns, but "header" is false: there are no names')]
      : []),
  ];
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
