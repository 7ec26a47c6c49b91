/**
 * The secrets of a configuration, as references. For `doctor`, and for the check of who can read their files.
 */
import type { Config } from './schema.js';
import type { SecretReference } from './secret.js';

export interface ConfiguredSecret {
  readonly path: readonly string[];
  readonly reference: SecretReference;
}

export function secretsOf(config: Config): ConfiguredSecret[] {
  return Object.entries(config.sources).flatMap(([name, source]) => {
    if (source.kind !== 'ldap' || source.bindPassword === undefined) return [];
    return [{ path: ['sources', name, 'bindPassword'], reference: source.bindPassword }];
  });
}
