/** A source of kind `csv`, as configured: a file, or lists that are uploaded. */
import { z } from 'zod';
import { oneOrMore, path, percent, strict, text, word } from '../scalars.js';
import { common, type Absolute } from './common.js';
import { delivery, finishDelivery } from './csv-delivery.js';

const column = text('the name of a column', 200);
const columns = oneOrMore(column, 'column name').optional();

export const csvSourceSchema = strict({
  kind: z.literal('csv').describe('A CSV file, or lists uploaded with `rollcall upload` or over HTTP'),
  ...common,
  path: path('a CSV file')
    .optional()
    .describe('The file to read. Without `path`, `folder` and `url` the source only takes uploads'),
  ...delivery,
  columns: strict({
    address: columns.describe('Column of the primary address; default: recognised by its name'),
    aliases: columns.describe('Columns of further addresses; default: recognised by their names'),
    id: column.optional().describe('Column of a stable id; default: the primary address'),
    kind: column.optional().describe('Column of the kind: user, group, contact, mailbox'),
    disabled: column.optional().describe('Column that says whether the account is disabled'),
  })
    .prefault({})
    .describe('Columns by their names in the header'),
  delimiter: word([',', ';', '\t', '|']).optional().describe('Between cells; default: recognised'),
  separator: word([';', ',', '|', ' '])
    .optional()
    .describe('Between several addresses in one cell; default: recognised'),
  encoding: word(['auto', 'utf-8', 'utf-16le', 'windows-1252'])
    .default('auto')
    .describe(
      'Text encoding. `auto` finds it; where it cannot tell an address, the list does not count as complete. A byte order mark speaks louder',
    ),
  header: z
    .union([z.literal('auto'), z.boolean()], { error: 'must be "auto", true or false' })
    .default('auto')
    .meta({ 'x-type': '`"auto"`, true or false' })
    .describe('Whether the first line names the columns'),
  wildcards: word(['doubt', 'ignore'])
    .default('doubt')
    .describe(
      'A line with a whole domain (`@example.com`) or a pattern is never taken. `doubt`: the list does not count as complete then. `ignore`: it may; the domain has `patterns` or `catchAll` for it',
    ),
  mayLack: z
    .array(word(['aliases', 'groups', 'users']), { error: 'must be a list of aliases, groups, users' })
    .max(3, { error: 'must have at most three parts' })
    .default([])
    .describe(
      'What the list may lack, because another source has it or there is none. An export that is known to leave it out does not count as complete otherwise. `groups`: all that are no users',
    ),
  maxBadPercent: percent(100)
    .default(10)
    .describe('With more bad rows than this the read does not count as complete: nothing is removed'),
});

export type CsvSourceConfig = z.output<typeof csvSourceSchema>;

export function finishCsv(source: CsvSourceConfig, absolute: Absolute): CsvSourceConfig {
  const finished = finishDelivery(source, absolute);
  return source.path === undefined ? finished : { ...finished, path: absolute(source.path) };
}
