/**
 * The sources, as configured: what all kinds share, then each kind.
 *
 * Refuses a password in the file (secret.ts) and in the URL, and switching off certificate checks by accident.
 */
import { validateDetailed } from 'node-cron';
import { z } from 'zod';
import { duration, flag, oneOrMore, path, percent, quoted, strict, text, whole, word } from './scalars.js';
import { isTimeZone, nicknames } from './schedule.js';
import { secretSchema } from './secret.js';
import { smtpSourceSchema } from './source-smtp.js';
import { didYouMean } from './spelling.js';

const scheduleText = z
  .string({ error: 'must be a cron expression, as text' })
  .superRefine((expression, context) => {
    if (!expression.startsWith('@') && validateDetailed(expression).valid) return;
    if (nicknames.includes(expression)) return;
    const [first] = validateDetailed(expression).errors;
    const message = `must be a cron expression of 5 or 6 fields, or one of ${nicknames.join(' ')}`;
    context.addIssue(first === undefined ? message : `${message} (${first.field}: ${first.message})`);
  })
  .meta({ 'x-type': 'cron expression' });

const timezone = z
  .string({ error: 'must be the name of a time zone' })
  .refine(isTimeZone, { error: 'must be a time zone of the IANA database, such as "Europe/Berlin" or "UTC"' })
  .meta({ 'x-type': 'time zone' });

const canary = z
  .string({ error: 'must be an address' })
  .regex(/^[^\s@]+@[^\s@]+$/, { error: 'must be an address such as "ceo@example.com"' });

const guardSchema = strict({
  removals: strict({
    percent: percent(100)
      .default(5)
      .describe('Removals above this share of the source are held for approval'),
    floor: whole(0, 1_000_000_000)
      .default(10)
      .describe('So many removals always pass, so that small lists are not held for every leaver'),
  })
    .prefault({})
    .describe('How many removals a run may make by itself'),
  growthPercent: percent(1_000_000)
    .default(50)
    .describe('A run that would grow the source by more than this is held: a wrong filter or base is likely'),
  canaries: z
    .array(canary, { error: 'must be a list of addresses' })
    .max(100, { error: 'must have at most 100 addresses' })
    .default([])
    .describe('Addresses that must be in every complete list; one missing means the read was not complete'),
});

const common = {
  tenant: text('the name of a tenant', 63).default('default').describe('The tenant that owns the source'),
  schedule: scheduleText
    .optional()
    .describe(
      'When to sync by itself: 5 or 6 fields (seconds first), or `@hourly` `@daily` `@weekly`. Day of month AND day of week must match',
    ),
  timezone: timezone
    .default('UTC')
    .describe(
      'Time zone of `schedule`. Where clocks change, an hour a year is skipped; catch-up runs it late',
    ),
  jitter: duration('0s', '1h')
    .prefault('30s')
    .describe('Random delay before a scheduled run, so that many do not start at once'),
  catchUp: flag().default(true).describe('Run once at start when a scheduled time was missed'),
  guard: guardSchema.prefault({}).describe('What a run may change without a person looking at it'),
  respectDisabled: flag()
    .default(false)
    .describe(
      'Answer 550 5.2.1 for disabled accounts. Shared, room and equipment mailboxes have disabled accounts and still get mail',
    ),
} as const;

const urlError =
  'must be a URL such as "ldaps://dc1.example.com" or "ldap://127.0.0.1:389", without user, path or query';
const ldapUrl = z
  .string({ error: urlError })
  .refine(isLdapUrl, { error: urlError })
  .meta({ 'x-type': 'URL' });

function isLdapUrl(value: string): boolean {
  if (!/^ldaps?:\/\/[^/?#@\s]+\/?$/i.test(value) || !URL.canParse(value)) return false;
  return new URL(value).hostname !== '';
}

const filterError = 'must be an LDAP filter in parentheses that pair up, such as "(mail=*)" (RFC 4515)';
const ldapFilter = text('an LDAP filter', 4000).refine(isBalanced, { error: filterError });

/** RFC 4515 §3: parentheses inside values are escaped, so that the plain ones must pair up. */
function isBalanced(filter: string): boolean {
  const characters = Array.from(filter);
  let depth = 0;
  for (const [index, character] of characters.entries()) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (depth < 0 || (depth === 0 && index < characters.length - 1)) return false;
  }
  return depth === 0;
}

const attributeError = 'must be the name of an LDAP attribute';
const attribute = z
  .string({ error: attributeError })
  .regex(/^[A-Za-z][A-Za-z0-9-]{0,127}$/, { error: attributeError });

export const ldapSourceSchema = strict({
  kind: z.literal('ldap').describe('An LDAP directory: OpenLDAP, Active Directory, 389 Directory Server'),
  ...common,
  url: oneOrMore(ldapUrl, 'URL').describe(
    'The servers, tried in order: `ldaps://host` or `ldap://host`, with a port if it is not 636 or 389',
  ),
  startTls: flag().default(false).describe('Encrypt an `ldap://` connection with StartTLS'),
  tls: strict({
    ca: path('a CA certificate')
      .optional()
      .describe('PEM file of the CA that signed the server certificate; default: the system’s'),
    servername: text('a host name', 255)
      .optional()
      .describe('Name the certificate must carry; default: the host of the URL'),
    verify: flag()
      .default(true)
      .describe('Verify the server certificate. `false` lets anyone in between read the password'),
  })
    .prefault({})
    .describe('TLS for `ldaps://` and StartTLS'),
  bindDn: text('a distinguished name', 1000)
    .optional()
    .describe('Who to bind as; without it the bind is anonymous'),
  bindPassword: secretSchema.optional().describe('Password of `bindDn`'),
  allowUnencrypted: flag()
    .default(false)
    .describe('Send the password over an unencrypted connection to another machine'),
  baseDn: oneOrMore(text('a distinguished name', 1000), 'DN').describe('Where to search'),
  scope: word(['sub', 'one']).default('sub').describe('The whole subtree, or one level'),
  preset: word(['openldap', 'active-directory', '389ds'])
    .default('openldap')
    .describe('Filter and attributes that fit the directory'),
  filter: ldapFilter.optional().describe('Which entries; default: that of the preset'),
  attributes: strict({
    id: attribute.optional().describe('Stable object id, such as `entryUUID`; default: that of the preset'),
    addresses: z
      .array(attribute, { error: 'must be a list of attribute names' })
      .min(1, { error: 'must name at least one attribute' })
      .max(50, { error: 'must have at most 50 attributes' })
      .optional()
      .describe('Attributes that hold addresses; default: those of the preset'),
  })
    .prefault({})
    .describe('Attributes, where they differ from the preset'),
  pageSize: whole(10, 5000).default(500).describe('Entries per page. Active Directory gives at most 1000'),
  connectTimeout: duration('1s', '5m')
    .prefault('10s')
    .describe('Longest wait for a connection, before the next server is tried'),
  timeout: duration('1s', '10m').prefault('30s').describe('Longest wait for one page'),
  timeLimit: duration('1s', '1h').prefault('120s').describe('Time limit asked of the server for one search'),
});

const column = text('the name of a column', 200);
const columns = oneOrMore(column, 'column name').optional();

export const csvSourceSchema = strict({
  kind: z.literal('csv').describe('A CSV file, or lists uploaded with `rollcall upload` or over HTTP'),
  ...common,
  path: path('a CSV file').optional().describe('The file to read; without it the source only takes uploads'),
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
  encoding: word(['utf-8', 'utf-16le', 'windows-1252'])
    .default('utf-8')
    .describe('Text encoding; a byte order mark is dropped'),
  header: z
    .union([z.literal('auto'), z.boolean()], { error: 'must be "auto", true or false' })
    .default('auto')
    .meta({ 'x-type': '`"auto"`, true or false' })
    .describe('Whether the first line names the columns'),
  maxBadPercent: percent(100)
    .default(10)
    .describe('With more bad rows than this the read does not count as complete: nothing is removed'),
});

const kinds = ['ldap', 'csv', 'smtp'] as const;

export const sourceSchema = z.discriminatedUnion(
  'kind',
  [ldapSourceSchema, csvSourceSchema, smtpSourceSchema],
  {
    error: ({ input }) => {
      const kind = typeof input === 'object' && input !== null && 'kind' in input ? input.kind : undefined;
      return `must be an object whose "kind" is one of ${quoted(kinds)}${didYouMean(kind, kinds)}`;
    },
  },
);

export type SourceConfig = z.output<typeof sourceSchema>;
/** A source that gives lists: all but the mail servers, which are only asked. */
export type ListSourceConfig = LdapSourceConfig | CsvSourceConfig;
export type SmtpSourceConfig = z.output<typeof smtpSourceSchema>;
export type LdapSourceConfig = z.output<typeof ldapSourceSchema>;
export type CsvSourceConfig = z.output<typeof csvSourceSchema>;
