/**
 * Checks of domains: their names, tenants, sources and aliases, and the settings that earn trouble.
 */
import { error, warning } from './findings.js';
import type { CheckFinding } from './findings.js';
import { domainKey } from './domain-name.js';
import type { DomainConfig } from './domain.js';
import { formatDuration } from './durations.js';
import type { Path } from './json.js';
import { longestPause } from './schedule.js';
import type { Config } from './schema.js';
import { didYouMean } from './spelling.js';

interface Named {
  readonly name: string;
  readonly path: Path;
  readonly domain: DomainConfig;
  readonly config: Config;
  readonly byKey: ReadonlyMap<string, DomainConfig>;
  /** The longest pause of a schedule; many sources share few schedules. */
  readonly pauseOf: (schedule: string) => number | undefined;
}

export function checkDomains(config: Config): CheckFinding[] {
  const entries = Object.entries(config.domains);
  if (entries.length === 0)
    return [warning(['domains'], 'no domain is configured: Rollcall speaks for nobody')];
  const byKey = new Map(entries.map(([name, domain]) => [domainKey(name) ?? name, domain]));
  const pauseOf = remembered(longestPause);
  const perDomain = entries.flatMap(([name, domain]) => {
    const named = { name, domain, config, byKey, pauseOf, path: ['domains', name] };
    return [aliasCheck, sourcesCheck, riskCheck].flatMap((check) => check(named));
  });
  return [...nameChecks(Object.keys(config.domains)), ...perDomain];
}

function nameChecks(names: readonly string[]): CheckFinding[] {
  const first = new Map<string, string>();
  return names.flatMap((name) => {
    const path = ['domains', name];
    const key = domainKey(name);
    if (key === undefined)
      return [keyError(path, 'not a domain name: write it like "example.com" or "bücher.example"')];
    const other = first.get(key);
    if (other !== undefined)
      return [keyError(path, `the same domain as ${JSON.stringify(other)} (${key}): keep one of them`)];
    first.set(key, name);
    return [];
  });
}

/** An error about a key: the value under it says nothing. */
function keyError(path: Path, message: string): CheckFinding {
  return { level: 'error', path, message };
}

function aliasCheck({ name, path, domain, byKey }: Named): CheckFinding[] {
  if (domain.aliasOf === undefined) return [];
  const here = [...path, 'aliasOf'];
  const key = domainKey(domain.aliasOf);
  const target = byKey.get(key ?? '');
  if (target === undefined)
    return [error(here, `no such domain is configured${didYouMean(domain.aliasOf, [...byKey.keys()])}`)];
  if (key === domainKey(name)) return [error(here, 'is the domain itself: name another one')];
  if (target.aliasOf !== undefined) {
    return [
      error(here, `is itself an alias, of ${JSON.stringify(target.aliasOf)}: name a domain with sources`),
    ];
  }
  if (target.tenant !== domain.tenant) return [error(here, `belongs to another tenant, "${target.tenant}"`)];
  if (domain.sources.length === 0) return [];
  return [
    error(
      [...path, 'sources'],
      'an alias domain takes the sources of its target: leave "sources" or "aliasOf" out',
    ),
  ];
}

function sourcesCheck({ path, domain, config }: Named): CheckFinding[] {
  const wrong = domain.sources.flatMap((name, index) => {
    const here = [...path, 'sources', index];
    const source = Object.hasOwn(config.sources, name) ? config.sources[name] : undefined;
    if (source === undefined)
      return [error(here, `no such source under "sources"${didYouMean(name, Object.keys(config.sources))}`)];
    if (source.tenant === domain.tenant) return [];
    return [
      error(here, `is a source of tenant "${source.tenant}", the domain is of tenant "${domain.tenant}"`),
    ];
  });
  const speaksAlone = domain.catchAll || domain.mode === 'off' || domain.aliasOf !== undefined;
  if (domain.sources.length > 0 || speaksAlone) return wrong;
  const message =
    'must name at least one source: without a list every answer is "defer" (or set "aliasOf", "catchAll" or "mode": "off")';
  return [...wrong, error([...path, 'sources'], message)];
}

function riskCheck({ path, domain, config, pauseOf }: Named): CheckFinding[] {
  const catchAll = domain.catchAll
    ? [
        warning(
          [...path, 'catchAll'],
          'every local part is accepted: mail for nobody comes in and must be bounced or dropped',
        ),
      ]
    : [];
  if (domain.mode === 'off' || domain.catchAll) return catchAll;
  return domain.sources.flatMap((name, index) => {
    const source = config.sources[name];
    // asked, not read: nothing of it goes stale
    if (source?.kind === 'smtp') return [];
    const schedule = source?.schedule;
    const pause = schedule === undefined ? undefined : pauseOf(schedule);
    const reason = staleReason(schedule, pause, domain.staleAfter);
    return reason === ''
      ? []
      : [warning([...path, 'sources', index], `"${name}" ${reason} (${domain.whenStale})`)];
  });
}

/** Why a list will go stale by itself; empty when it will not. */
function staleReason(schedule: string | undefined, pause: number | undefined, staleAfter: number): string {
  const limit = formatDuration(staleAfter);
  if (schedule === undefined) return `has no schedule: without a list every ${limit} "whenStale" speaks`;
  if (pause === undefined || pause < staleAfter) return '';
  return `runs only every ${formatDuration(pause)}, "staleAfter" is ${limit}: in between "whenStale" speaks`;
}

function remembered<Result>(compute: (text: string) => Result): (text: string) => Result {
  const results = new Map<string, Result>();
  return (text) => {
    const known = results.get(text);
    if (known !== undefined) return known;
    const result = compute(text);
    results.set(text, result);
    return result;
  };
}
