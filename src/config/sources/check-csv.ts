/** Checks of sources of kind `csv`. */
import { error, type CheckFinding } from '../findings.js';
import type { Path } from '../json.js';
import { deliveryChecks } from './check-csv-delivery.js';
import type { CsvSourceConfig } from './csv.js';

export function csvChecks(source: CsvSourceConfig, path: Path): CheckFinding[] {
  const columns = Object.keys(source.columns).length > 0 && source.header === false;
  return [
    ...deliveryChecks(source, path),
    ...(columns
      ? [error([...path, 'columns'], 'names columns, but "header" is false: there are no names')]
      : []),
  ];
}
