/**
 * Checks that every tenant named by a domain or a source is declared.
 */
import { error } from './findings.js';
import type { CheckFinding } from './findings.js';
import type { Config } from './schema.js';
import { didYouMean } from './spelling.js';

export function checkTenants(config: Config): CheckFinding[] {
  const known = new Set(['default', ...Object.keys(config.tenants)]);
  const check = (section: string, named: Readonly<Record<string, { readonly tenant: string }>>) =>
    Object.entries(named).flatMap(([name, { tenant }]) => {
      if (known.has(tenant)) return [];
      const message = `no such tenant under "tenants"${didYouMean(tenant, [...known])}`;
      return [error([section, name, 'tenant'], message)];
    });
  return [
    ...check('domains', config.domains),
    ...check('sources', config.sources),
    ...check('exports', config.exports),
  ];
}
