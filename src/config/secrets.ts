/**
 * The secrets of a configuration, as references. For `doctor`, and for the check of who can read their files.
 */
import type { Config } from './schema.js';
import type { SecretReference } from './secret.js';
import type { CsvSourceConfig } from './sources/csv.js';
import type { GraphSourceConfig } from './sources/graph.js';

export interface ConfiguredSecret {
  readonly path: readonly string[];
  readonly reference: SecretReference;
}

export function secretsOf(config: Config): ConfiguredSecret[] {
  return Object.entries(config.sources).flatMap(([name, source]) => {
    const path = ['sources', name];
    if (source.kind === 'csv') return secretsOfCsv(source, path);
    if (source.kind === 'graph') return secretsOfGraph(source, path);
    if (source.kind !== 'ldap' || source.bindPassword === undefined) return [];
    return [{ path: [...path, 'bindPassword'], reference: source.bindPassword }];
  });
}

function secretsOfGraph(
  { clientSecret, certificate }: GraphSourceConfig,
  path: readonly string[],
): ConfiguredSecret[] {
  return [
    ...(clientSecret === undefined ? [] : [{ path: [...path, 'clientSecret'], reference: clientSecret }]),
    ...(certificate === undefined
      ? []
      : [{ path: [...path, 'certificate', 'key'], reference: certificate.key }]),
  ];
}

function secretsOfCsv(
  { headers, secretQuery }: CsvSourceConfig,
  path: readonly string[],
): ConfiguredSecret[] {
  const found = Object.entries(headers).flatMap(([name, value]) =>
    typeof value === 'string' ? [] : [{ path: [...path, 'headers', name], reference: value }],
  );
  if (secretQuery === undefined) return found;
  return [...found, { path: [...path, 'secretQuery'], reference: secretQuery }];
}
