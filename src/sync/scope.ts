/**
 * Scope: for which domains a tenant's sources may assert addresses. Pure.
 *
 * An address outside is not an error (directories are full of them), but it never becomes a claim: one tenant's source
 * must not speak for another's domain.
 */
export interface ScopeDomain {
  /** A-label. */
  readonly domain: string;
  readonly includeSubdomains: boolean;
}

export interface Scope {
  /** Whether a source may assert an address in this domain (A-label). */
  includes(domain: string): boolean;
  /** What a complete read covers: each domain, and `*.domain` where subdomains were taken as well. */
  readonly covers: readonly string[];
  /** The entry of `covers` that an address in this domain counts for. */
  coveredBy(domain: string): string | undefined;
}

export function createScope(domains: readonly ScopeDomain[]): Scope {
  const exact = new Set(domains.map((d) => d.domain));
  const parents = new Set(domains.filter((d) => d.includeSubdomains).map((d) => d.domain));
  const parentOf = (domain: string): string | undefined => {
    for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
      const parent = domain.slice(dot + 1);
      if (parents.has(parent)) return `*.${parent}`;
    }
    return undefined;
  };
  const coveredBy = (domain: string): string | undefined => (exact.has(domain) ? domain : parentOf(domain));
  return {
    covers: [...exact, ...[...parents].map((domain) => `*.${domain}`)].sort(),
    coveredBy,
    includes: (domain) => coveredBy(domain) !== undefined,
  };
}
