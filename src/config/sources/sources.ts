/** The sources, as configured: one file for each kind, put together here. */
import { z } from 'zod';
import { quoted } from '../scalars.js';
import { didYouMean } from '../spelling.js';
import { csvSourceSchema, type CsvSourceConfig } from './csv.js';
import { graphSourceSchema, type GraphSourceConfig } from './graph.js';
import { ldapSourceSchema, type LdapSourceConfig } from './ldap.js';
import { smtpSourceSchema } from './smtp.js';

const kinds = ['ldap', 'graph', 'csv', 'smtp'] as const;

export const sourceSchema = z.discriminatedUnion(
  'kind',
  [ldapSourceSchema, graphSourceSchema, csvSourceSchema, smtpSourceSchema],
  {
    error: ({ input }) => {
      const kind = typeof input === 'object' && input !== null && 'kind' in input ? input.kind : undefined;
      return `must be an object whose "kind" is one of ${quoted(kinds)}${didYouMean(kind, kinds)}`;
    },
  },
);

export type SourceConfig = z.output<typeof sourceSchema>;
/** A source that gives lists: all but the mail servers, which are only asked. */
export type ListSourceConfig = LdapSourceConfig | GraphSourceConfig | CsvSourceConfig;
