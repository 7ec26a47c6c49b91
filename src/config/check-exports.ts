/** Checks of exports: do their domains exist, whose are they, does one overwrite another; and what a file cannot speak for. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { error, warning } from './findings.js';
import type { CheckFinding } from './findings.js';
import { domainKey } from './domain-name.js';
import type { DomainConfig } from './domain.js';
import type { ExportConfig } from './exports.js';
import type { Path } from './json.js';
import type { Config } from './schema.js';
import { didYouMean } from './spelling.js';

/** `folder` is the one that relative paths count from. */
export function checkExports(config: Config, folder: string): CheckFinding[] {
  const byKey = new Map(
    Object.entries(config.domains).map(([name, domain]) => [domainKey(name) ?? name, domain]),
  );
  const asked = new Set(
    Object.entries(config.sources).flatMap(([name, { kind }]) => (kind === 'smtp' ? [name] : [])),
  );
  const taken = new Map<string, string>();
  return Object.entries(config.exports).flatMap(([name, options]) => {
    const path = ['exports', name];
    const files = filesOf(options, folder);
    const other = files.map((file) => taken.get(file)).find((each) => each !== undefined);
    files.forEach((file) => taken.set(file, name));
    const twice =
      other === undefined ? [] : [error([...path, 'path'], `the export "${other}" writes this file already`)];
    return [...twice, ...checkOne(path, options, byKey, asked)];
  });
}

/** All that it writes, by their real names. */
function filesOf({ path, format }: ExportConfig, folder: string): string[] {
  const whole = resolve(folder, path);
  return (format === 'sqlite' ? [whole, `${whole}.cf`] : [whole]).map(realPathOf);
}

/** As far as it is there now: links are followed, of the file and of its folder. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(realPathOf(folder), basename(path));
  }
}

function checkOne(
  path: Path,
  { domains, tenant }: ExportConfig,
  byKey: ReadonlyMap<string, DomainConfig>,
  asked: ReadonlySet<string>,
): CheckFinding[] {
  if (domains === undefined) {
    const own = [...byKey].filter(([, domain]) => domain.tenant === tenant);
    if (own.length === 0) return [error(path, `tenant "${tenant}" has no domain to export`)];
    return own.flatMap(([name, domain]) => unfit([...path, 'domains'], name, domain, asked));
  }
  return domains.flatMap((name, index) => {
    const here = [...path, 'domains', index];
    const domain = byKey.get(domainKey(name) ?? '');
    if (domain === undefined)
      return [error(here, `no such domain is configured${didYouMean(name, [...byKey.keys()])}`)];
    if (domain.tenant !== tenant)
      return [error(here, `is a domain of tenant "${domain.tenant}", the export is of tenant "${tenant}"`)];
    return unfit(here, name, domain, asked);
  });
}

/** Allowed, because a domain may be in `observe` for a day: the export is refused for so long. */
function unfit(path: Path, name: string, domain: DomainConfig, asked: ReadonlySet<string>): CheckFinding[] {
  const why =
    domain.mode === 'enforce'
      ? domain.catchAll
        ? '"catchAll" is set'
        : domain.patterns.length > 0
          ? 'it has "patterns"'
          : domain.includeSubdomains
            ? 'it includes subdomains'
            : domain.sources.some((source) => asked.has(source))
              ? 'its own mail server is asked about whom no list knows'
              : undefined
      : `its mode is "${domain.mode}"`;
  if (why === undefined) return [];
  return [
    warning(path, `${name} cannot be in a file, as ${why}: the export is refused until it is left out here`),
  ];
}
