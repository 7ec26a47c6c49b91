/**
 * The last step of reading: paths become absolute, domains get their key, an alias domain the sources of its target.
 *
 * Takes a configuration that check.ts found right.
 */
import { resolve } from 'node:path';
import { domainKey } from './domain-name.js';
import type { DomainConfig } from './domain.js';
import type { ExportConfig } from './exports.js';
import type { Config } from './schema.js';
import { finishSource, type Absolute } from './sources/finish-source.js';

/** `folder` is the one that relative paths count from: that of the configuration file. */
export function finish(config: Config, folder: string): Config {
  const absolute = (path: string) => resolve(folder, path);
  return {
    ...config,
    dataDir: absolute(config.dataDir),
    domains: finishDomains(config.domains),
    sources: mapValues(config.sources, (source) => finishSource(source, absolute)),
    edges: finishEdges(config.edges, absolute),
    exports: mapValues(config.exports, (options) => finishExport(options, absolute)),
    log: { ...config.log, ...(config.log.mail === undefined ? {} : { mail: absolute(config.log.mail) }) },
  };
}

function finishDomains(domains: Config['domains']): Config['domains'] {
  const byKey = new Map(Object.entries(domains).map(([name, domain]) => [domainKey(name) ?? name, domain]));
  return Object.fromEntries([...byKey].map(([key, domain]) => [key, finishDomain(domain, byKey)]));
}

function finishDomain(domain: DomainConfig, byKey: ReadonlyMap<string, DomainConfig>): DomainConfig {
  const sources = [...new Set(domain.sources)];
  if (domain.aliasOf === undefined) return { ...domain, sources };
  const aliasOf = domainKey(domain.aliasOf) ?? domain.aliasOf;
  return { ...domain, aliasOf, sources: [...new Set(byKey.get(aliasOf)?.sources)] };
}

function finishEdges(edges: Config['edges'], absolute: Absolute): Config['edges'] {
  const { smtp, proxy } = edges;
  return {
    ...edges,
    ...(smtp === undefined ? {} : { smtp: { ...smtp, ...finishTls(smtp.tls, absolute) } }),
    ...(proxy === undefined ? {} : { proxy: finishProxy(proxy, absolute) }),
  };
}

type ProxyConfig = NonNullable<Config['edges']['proxy']>;

function finishProxy(proxy: ProxyConfig, absolute: Absolute): ProxyConfig {
  const { ca } = proxy.nextHopTls;
  return {
    ...proxy,
    ...finishTls(proxy.tls, absolute),
    nextHopTls: { ...proxy.nextHopTls, ...(ca === undefined ? {} : { ca: absolute(ca) }) },
  };
}

/** Of a door that offers STARTTLS. */
function finishTls(tls: { cert: string; key: string } | undefined, absolute: Absolute) {
  return tls === undefined ? {} : { tls: { cert: absolute(tls.cert), key: absolute(tls.key) } };
}

function finishExport(options: ExportConfig, absolute: Absolute): ExportConfig {
  const { domains } = options;
  return {
    ...options,
    path: absolute(options.path),
    ...(domains !== undefined && { domains: [...new Set(domains.map((name) => domainKey(name) ?? name))] }),
  };
}

function mapValues<Value>(record: Readonly<Record<string, Value>>, change: (value: Value) => Value) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
