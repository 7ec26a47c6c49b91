/**
 * The one schema of the configuration: types, defaults, bounds, the reference page and the JSON Schema come from here.
 *
 * Promises that what parses has every default filled in. Checks that span sections are in check.ts. Secrets stay
 * references (secret.ts).
 */
import { z } from 'zod';
import { domainSchema } from './domain.js';
import { edgesSchema } from './edges/edges.js';
import { exportSchema } from './exports.js';
import { path, strict, text } from './scalars.js';
import { httpSchema, logSchema, storeSchema, syncSchema } from './services.js';
import { sourceSchema } from './sources/sources.js';

const sourceNameError =
  'must be a name of 1 to 64 letters, digits, dots, dashes or underscores, starting with a letter or digit';
const sourceName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { error: sourceNameError });
const exportNameError =
  'must be a name of 1 to 64 letters, digits, dots, dashes or underscores, starting with a letter or digit';
const exportName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { error: exportNameError });
const tenantNameError =
  'must be a name of 1 to 63 lower-case letters, digits or dashes, starting with a letter or digit';
const tenantName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { error: tenantNameError });

const tenantSchema = strict({
  description: text('a description', 200).optional().describe('For people'),
});

export const configSchema = strict({
  $schema: z.string({ error: 'must be text' }).optional().describe('For editors; Rollcall ignores it'),
  dataDir: path('a folder')
    .default('./data')
    .describe('Folder of the databases. Relative paths count from the folder of this file'),
  store: storeSchema.prefault({}).describe('Where the truth is kept'),
  tenants: z
    .record(tenantName, tenantSchema, { error: 'must be an object of tenants by name' })
    .default({})
    .describe('Customers by name, each owning domains and sources. `default` need not be declared'),
  domains: z
    .record(z.string(), domainSchema, { error: 'must be an object of domains by name' })
    .default({})
    .describe('Mail domains by name, as U-label or A-label'),
  sources: z
    .record(sourceName, sourceSchema, { error: 'must be an object of sources by name' })
    .default({})
    .describe('Where lists come from, by name'),
  edges: edgesSchema.prefault({}).describe('The doors to mail servers; one that is absent is not opened'),
  exports: z
    .record(exportName, exportSchema, { error: 'must be an object of exports by name' })
    .default({})
    .describe('Map files for mail servers that cannot ask, by name: docs/export.md'),
  http: httpSchema.optional().describe('HTTP API, health and metrics; absent: none'),
  sync: syncSchema.prefault({}).describe('How lists are brought up to date'),
  log: logSchema.prefault({}).describe('Logs'),
});

/**
 * The configuration as read by load.ts: defaults filled in; durations in milliseconds; sizes in bytes; paths absolute;
 * `domains` keyed by lower-case A-label, `aliasOf` likewise, an alias domain having the sources of its target.
 */
export type Config = z.output<typeof configSchema>;
