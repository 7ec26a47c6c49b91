/**
 * The configuration as `config print` shows it: every default filled in, durations, sizes and addresses as text,
 * secrets as their references. What it prints is a right configuration again.
 */
import { z } from 'zod';
import { configSchema } from './schema.js';
import type { Config } from './schema.js';

export function printConfig(config: Config): unknown {
  const domains = Object.entries(config.domains).map(([name, domain]) => [
    name,
    // An alias domain may not name sources of its own: those it has are its target's.
    domain.aliasOf === undefined ? domain : { ...domain, sources: [] },
  ]);
  return z.encode(configSchema, { ...config, domains: Object.fromEntries(domains) as Config['domains'] });
}
