/** From the configuration to the plain options of policy and sync: which domains there are, and whose. */
import type { Config } from '../config/schema.js';
import { createDomainTable, type DomainTable } from '../policy/domain-table.js';
import { createScope, type Scope } from '../sync/scope.js';

export function domainTableOf(config: Config): DomainTable {
  return createDomainTable(
    Object.entries(config.domains).map(([domain, options]) => ({
      ...options,
      domain,
      sources: options.sources.filter((name) => config.sources[name]?.kind !== 'smtp'),
      callAhead: options.sources.filter((name) => config.sources[name]?.kind === 'smtp'),
      staleAfterMs: options.staleAfter,
      removedDeferForMs: options.removed.deferFor,
    })),
  );
}

/** The domains in which a tenant's sources may assert addresses. */
export function scopeOf(config: Config, tenant: string): Scope {
  return createScope(
    Object.entries(config.domains)
      .filter(([, options]) => options.tenant === tenant)
      .map(([domain, { includeSubdomains }]) => ({ domain, includeSubdomains })),
  );
}
