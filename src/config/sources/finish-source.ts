/** The last step of reading a source: its paths become absolute. Each kind says which of its options are paths. */
import { finishCsv } from './csv.js';
import { finishGraph } from './graph.js';
import { finishLdap } from './ldap.js';
import type { Absolute } from './common.js';
import { finishExclude } from './exclude.js';
import type { ListSourceConfig, SourceConfig } from './sources.js';

export type { Absolute } from './common.js';

export function finishSource(written: SourceConfig, absolute: Absolute): SourceConfig {
  const source = finishKind(written, absolute);
  return 'exclude' in source ? withExclude(source, absolute) : source;
}

function withExclude<Source extends ListSourceConfig>(source: Source, absolute: Absolute): Source {
  return { ...source, exclude: finishExclude(source.exclude, absolute) };
}

function finishKind(source: SourceConfig, absolute: Absolute): SourceConfig {
  switch (source.kind) {
    case 'ldap':
      return finishLdap(source, absolute);
    case 'graph':
      return finishGraph(source, absolute);
    case 'csv':
      return finishCsv(source, absolute);
    case 'smtp':
      return source.ca === undefined ? source : { ...source, ca: absolute(source.ca) };
  }
}
