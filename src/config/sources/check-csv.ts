/** Checks of sources of kind `csv`. */
import { error, type CheckFinding } from '../findings.js';
import type { Path } from '../json.js';
import type { CsvSourceConfig } from './csv.js';

export function csvChecks(source: CsvSourceConfig, path: Path): CheckFinding[] {
  const columns = Object.keys(source.columns).length > 0 && source.header === false;
  const nothing = source.schedule !== undefined && source.path === undefined;
  return [
    ...(nothing
      ? [error([...path, 'schedule'], 'needs a "path" to read: a source without one only takes uploads')]
      : []),
    ...(columns
      ? [error([...path, 'columns'], 'names columns, but "header" is false: there are no names')]
      : []),
  ];
}
