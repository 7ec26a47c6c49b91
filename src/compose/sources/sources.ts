/** From the configuration to a source, whatever its kind. */
import type { Config } from '../../config/schema.js';
import type { ListSourceConfig, SourceConfig } from '../../config/sources/sources.js';
import { RollcallError } from '../../errors.js';
import { excluding } from '../../source/exclude.js';
import type { Source } from '../../source/source.js';
import { csvSource, type CsvPlaces, type Upload } from './csv.js';
import { graphSource } from './graph.js';
import { ldapSource } from './ldap.js';

/** The configured source of that name. Throws `not-found` with the names there are. */
export function sourceConfigOf(config: Config, name: string): SourceConfig {
  const source = config.sources[name];
  if (source !== undefined) return source;
  const names = Object.keys(config.sources);
  throw new RollcallError('not-found', `there is no source named ${name}`, {
    hint: names.length === 0 ? 'No source is configured.' : `Configured: ${names.join(', ')}.`,
  });
}

/** The same, if it gives lists. Throws `usage` for one that is only asked. */
export function listSourceOf(config: Config, name: string): ListSourceConfig {
  const source = sourceConfigOf(config, name);
  if (source.kind !== 'smtp') return source;
  throw new RollcallError('usage', `source ${name} is of kind smtp: it has no list, its server is asked`, {
    hint: '`rollcall check ADDRESS` asks it about one address.',
  });
}

/** With what it leaves out left out. */
export function sourceOf(config: Config, name: string, upload?: Upload): Source {
  const source = listSourceOf(config, name);
  return excluding(kindOf(name, source, { upload, dataDir: config.dataDir }), source.exclude);
}

function kindOf(name: string, source: ListSourceConfig, places: CsvPlaces): Source {
  if (source.kind === 'csv') return csvSource(name, source, places);
  if (places.upload === undefined)
    return source.kind === 'graph' ? graphSource(name, source) : ldapSource(name, source);
  throw new RollcallError(
    'usage',
    `source ${name} is of kind ${source.kind}: a list can be uploaded only to a csv source`,
  );
}
