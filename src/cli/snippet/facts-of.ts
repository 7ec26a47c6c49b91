/** From the configuration to the facts of a snippet. */
import { networkInterfaces } from 'node:os';
import { normaliseDomain } from '../../address/domain.js';
import type { ListenAddress } from '../../config/listen-address.js';
import type { Config } from '../../config/schema.js';
import { hostPort, type Facts } from './facts.js';

/** What the sections of doors have in common, and that of the proxy. */
interface Section {
  readonly listen: readonly ListenAddress[];
  readonly foreignDomains?: 'reject' | 'pass';
  readonly nextHops?: readonly (string | { readonly host: string; readonly port: number })[];
}

/** Throws nothing: an absent section is an absent door. */
export function factsOf(config: Config): Facts {
  const sections = Object.entries(config.edges).flatMap(([name, section]: [string, Section | undefined]) =>
    section === undefined ? [] : [[name, section] as const],
  );
  const { nextHops, foreignDomains } = sections.find(([name]) => name === 'proxy')?.[1] ?? {};
  return {
    doors: Object.fromEntries(sections.map(([name, { listen }]) => [name, listen])),
    domains: Object.entries(config.domains).map(([name, domain]) => ({
      name,
      mode: domain.mode,
      includeSubdomains: domain.includeSubdomains,
      subaddress: domain.subaddress,
      caseSensitive: domain.caseSensitive,
    })),
    exports: Object.entries(config.exports).map(([name, { format, path, hook, domains }]) => ({
      name,
      format,
      path,
      ...(hook !== undefined && { hook: hook.command }),
      ...(domains !== undefined && { domains: domains.map((domain) => normaliseDomain(domain) ?? domain) }),
    })),
    ownAddresses: Object.values(networkInterfaces()).flatMap((found) =>
      (found ?? []).map(({ address }) => address),
    ),
    asksAhead: Object.values(config.sources).some(({ kind }) => kind === 'smtp'),
    ...(foreignDomains !== undefined && { proxyForeign: foreignDomains }),
    ...(nextHops !== undefined && {
      nextHops: nextHops.map((hop) => (typeof hop === 'string' ? hop : hostPort(hop))),
    }),
  };
}
