/** Reads a list from memory, in the chunks given. */
import { Readable } from 'node:stream';
import { createCsvSource } from '../../src/source/csv/csv-source.js';
import type { CsvSourceOptions } from '../../src/source/csv/options.js';
import { readWhole, type ReadHooks, type WholeRead } from '../support/read-source.js';

export function readList(
  list: string | Buffer | readonly (string | Buffer)[],
  changes: Partial<CsvSourceOptions> = {},
  hooks: ReadHooks = {},
): Promise<WholeRead> {
  const chunks = (
    Array.isArray(list) ? (list as readonly (string | Buffer)[]) : [list as string | Buffer]
  ).map((chunk) => Buffer.from(chunk as string));
  const options: CsvSourceOptions = {
    name: 'lists',
    label: 'lists.csv',
    open: () => Readable.from(chunks, { objectMode: false }),
    encoding: 'utf-8',
    header: 'auto',
    respectDisabled: false,
    maxBadPercent: 50,
    ...changes,
  };
  return readWhole(createCsvSource(options), hooks);
}
