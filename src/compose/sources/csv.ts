/** From the configuration to a source of kind `csv`. */
import type { CsvSourceConfig } from '../../config/sources/csv.js';
import { RollcallError } from '../../errors.js';
import { createCsvSource, openCsvFile } from '../../source/csv/csv-source.js';
import type { Source } from '../../source/source.js';

/** A list file that stands in for the source's own: an upload. */
export interface Upload {
  readonly path: string;
  /** The file's name as a person knows it. */
  readonly label: string;
}

export function csvSource(name: string, source: CsvSourceConfig, upload: Upload | undefined): Source {
  const path = upload?.path ?? source.path;
  if (path === undefined) {
    throw new RollcallError('usage', `source ${name} has no path: it takes uploads only`, {
      hint: `Run \`rollcall upload ${name} FILE\`, or set sources.${name}.path.`,
    });
  }
  // also for an upload: `rollcall upload` reads a named file in place, and somebody may be writing it
  const open = (): ReturnType<typeof openCsvFile> => openCsvFile(path);
  return createCsvSource({ ...source, name, open, label: upload?.label ?? path });
}
