/** What a source leaves out, as configured: by pattern and by file for every kind, by filter for directories. */
import { z } from 'zod';
import { path, strict } from '../scalars.js';
import type { Absolute } from './common.js';

const patternError = 'must be a glob over an address, such as "svc-*@example.com" or "*@old.example.com"';
const pattern = z
  .string({ error: patternError })
  .regex(/^[^\s@]+@[^\s@]+$/, { error: patternError })
  .max(320, { error: patternError })
  // it would leave out everybody
  .refine((glob) => !/^[*?]+@[*?.]+$/.test(glob), { error: `${patternError}, not every address` })
  .meta({ 'x-type': 'address pattern' });

const addresses = {
  patterns: z
    .array(pattern, { error: 'must be a list of address patterns' })
    .max(1000, { error: 'must have at most 1000 patterns' })
    .default([])
    .describe(
      'Globs over whole addresses: `*` any run of characters, `?` any one. Upper and lower case are the same',
    ),
  file: path('a file with addresses')
    .optional()
    .describe(
      'File with one address per line, read at each run; lines with `#` are remarks. When it cannot be read the run fails, and the list in force stays',
    ),
} as const;

const about = 'Addresses to leave out, as if the source did not have them. See groups-and-exclusions.md';

export const exclude = strict(addresses).prefault({}).describe(about);

/** For directories; `filter` is the schema of a filter. */
export function excludeWithFilter<Filter extends z.ZodType<string>>(filter: Filter) {
  return strict({
    filter: filter
      .optional()
      .describe(
        'Entries to leave out whole. An entry of which the server cannot say whether it matches stays',
      ),
    ...addresses,
  })
    .prefault({})
    .describe(about);
}

export function finishExclude<Exclude extends { readonly file?: string | undefined }>(
  written: Exclude,
  absolute: Absolute,
): Exclude {
  return written.file === undefined ? written : { ...written, file: absolute(written.file) };
}
