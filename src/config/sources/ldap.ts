/** A source of kind `ldap`, as configured. Refuses a password in the URL, and switching off certificate checks by accident. */
import { z } from 'zod';
import { duration, flag, oneOrMore, path, strict, text, whole, word } from '../scalars.js';
import { secretSchema } from '../secret.js';
import { common, finishSecret, live, type Absolute } from './common.js';
import { excludeWithFilter } from './exclude.js';

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
  ...live,
  listEvery: duration('5m', '7d')
    .prefault('1h')
    .describe(
      'How often the ids of all objects are listed, so that deletions are seen before the next read of everything. Only where the directory does not tell them',
    ),
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
  members: strict({
    of: oneOrMore(text('a distinguished name', 1000), 'DN').describe('The groups'),
    nested: flag().default(true).describe('Also the members of groups that are members'),
    includeGroups: flag()
      .default(true)
      .describe('Also the addresses of the groups in `of` themselves, where they have any'),
  })
    .optional()
    .describe(
      'Only members of these groups. Such a source is always read whole. See groups-and-exclusions.md',
    ),
  exclude: excludeWithFilter(ldapFilter),
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

export type LdapSourceConfig = z.output<typeof ldapSourceSchema>;

export function finishLdap(source: LdapSourceConfig, absolute: Absolute): LdapSourceConfig {
  const { tls, bindPassword } = source;
  return {
    ...source,
    tls: { ...tls, ...(tls.ca === undefined ? {} : { ca: absolute(tls.ca) }) },
    ...(bindPassword !== undefined && { bindPassword: finishSecret(bindPassword, absolute) }),
  };
}
