/**
 * The exports that are known by the names of their columns: what each of them is called, which of its columns hold addresses,
 * and what it cannot hold. As their vendors document them: docs/csv.md.
 *
 * Promises: a table; recognising changes nothing for columns that somebody has named in the configuration. What an export
 * cannot hold exists all the same: its list is not complete, unless somebody has said that it may lack that (`mayLack`).
 */
import type { EntryKind } from '../source.js';
import type { Part } from './options.js';

/** What an export never holds, in words. */
export interface Gap {
  readonly part: Part;
  readonly text: string;
}

/** A header as it is written, and its names made comparable: lower case, letters and digits only, no `[Required]`. */
export interface Header {
  readonly cells: readonly string[];
  readonly names: readonly string[];
  /** Under the version line of a template of Entra. */
  readonly isTemplate: boolean;
}

export interface KnownExport {
  /** As people call it: "taken for …". */
  readonly name: string;
  readonly isIt: (header: Header) => boolean;
  /** Columns of the address, where the general names do not tell it. */
  readonly address?: RegExp;
  /** Columns of further addresses beside those with the general names. */
  readonly aliases?: RegExp;
  /** Columns that hold no address of their row, whatever the general names say: of other people, of private accounts. */
  readonly others?: RegExp;
  readonly kind?: RegExp;
  /** Column of a switch that says "disabled", or with `enabled` the contrary. */
  readonly disabled?: RegExp;
  /** It lists people without a mailbox as well: a row without any address is no fault of the list. */
  readonly hasMailless: boolean;
  /** Rows that are no entries. */
  readonly skip?: { readonly row: RegExp; readonly why: string };
  /** It can hold people and groups: that one of them is not in it was the choice of who made it. */
  readonly isOfAll?: true;
  /** What it cannot hold; `hasAliases`: a column of aliases is there. */
  readonly gaps: (hasAliases: boolean) => readonly Gap[];
}

const has = ({ names }: Header, ...wanted: readonly string[]): boolean =>
  wanted.every((name) => names.includes(name));
const hasAny = ({ names }: Header, pattern: RegExp): boolean => names.some((name) => pattern.test(name));
const ask = 'docs/csv.md has the command to export them with';

const noAliases = (why: string): Gap => ({ part: 'aliases', text: `aliases are missing: ${why}; ${ask}` });
const noGroups = (text: string): Gap => ({ part: 'groups', text: `groups are missing: ${text}` });
const usersOnly = noGroups('it lists users only, no contacts and no public folders either');

const entraTemplate: KnownExport = {
  name: 'a bulk template of Entra ID',
  isIt: (header) => header.isTemplate && has(header, 'userprincipalname'),
  address: /^userprincipalname$/,
  disabled: /^blocksignin$/,
  hasMailless: false,
  skip: { row: /^"?example: /i, why: 'the example row of the template' },
  gaps: () => [
    {
      part: 'users',
      text: 'users are missing: a bulk template of Entra ID holds the login names of those written into it, as an order to Entra',
    },
    noAliases('the template has none'),
    usersOnly,
  ],
};

const exchange: KnownExport = {
  name: 'an export of Exchange (Get-Recipient, Get-Mailbox)',
  isIt: (header) => has(header, 'primarysmtpaddress'),
  others: /^(?:externalemailaddress|forwarding.*|windowsliveid|microsoftonlineservicesid)$/,
  hasMailless: false,
  isOfAll: true,
  gaps: (hasAliases) => (hasAliases ? [] : [noAliases('there is no column EmailAddresses')]),
};

const adminCenter: KnownExport = {
  name: 'an export of the Microsoft 365 admin center (Active users)',
  isIt: (header) =>
    has(header, 'proxyaddresses', 'userprincipalname') && hasAny(header, /^(?:blockcredential|licenses)$/),
  disabled: /^blockcredential$/,
  hasMailless: true,
  gaps: () => [usersOnly],
};

const entraUsers: KnownExport = {
  name: 'Entra ID’s Download users',
  isIt: (header) =>
    has(header, 'userprincipalname', 'usertype') && !hasAny(header, /^(?:proxyaddresses|emailaddresses)$/),
  address: /^mail$/,
  others: /^alternateemailaddress$|^othermails?$/,
  hasMailless: true,
  gaps: () => [noAliases('Entra ID’s Download users has no proxyAddresses'), usersOnly],
};

const entraGroups: KnownExport = {
  name: 'Entra ID’s Download groups',
  isIt: (header) =>
    has(header, 'mail') &&
    hasAny(header, /^(?:objectid|id)$/) &&
    hasAny(header, /^(?:grouptypes?|mailenabled)$/),
  address: /^mail$/,
  hasMailless: true,
  gaps: (hasAliases) => [
    ...(hasAliases ? [] : [noAliases('Entra ID’s Download groups has no proxyAddresses')]),
    { part: 'users', text: 'users are missing: it lists groups only' },
  ],
};

const activeDirectory: KnownExport = {
  name: 'an export of Active Directory (Get-ADUser, csvde)',
  isIt: (header) =>
    hasAny(header, /^(?:distinguishedname|dn)$/) &&
    hasAny(header, /^(?:objectguid|samaccountname|objectclass)$/),
  others: /^(?:targetaddress|managedby|manager)$/,
  kind: /^objectclass$/,
  hasMailless: true,
  isOfAll: true,
  gaps: (hasAliases) => (hasAliases ? [] : [noAliases('there is no column proxyAddresses')]),
};

const google: KnownExport = {
  name: 'a list of users of the Google Admin console',
  isIt: (header) =>
    hasAny(header, /^emailadd?resse?$/) &&
    header.cells.some((cell) => /\[(?:required|upload only|read only)\]/i.test(cell)),
  address: /^emailadd?resse?$/,
  others: /^(?:recovery|homesecondary|worksecondary)email$/,
  disabled: /^status$/,
  hasMailless: false,
  gaps: (hasAliases) => [
    ...(hasAliases ? [] : [noAliases('the Admin console exports none')]),
    noGroups('it lists users only'),
  ],
};

const gamUsers: KnownExport = {
  name: 'users printed by GAM',
  isIt: (header) =>
    has(header, 'primaryemail') &&
    // all that `gam print users` prints when it is asked for nothing else
    (header.names.length === 1 ||
      hasAny(
        header,
        /^(?:(?:noneditable)?aliases|emails)(?:\d+(?:address)?)?$|^orgunitpath$|^name(?:fullname|givenname)$/,
      )),
  address: /^primaryemail$/,
  aliases: /^(?:noneditable)?aliases(?:\d+(?:address)?)?$|^emails\d+address$/,
  others: /^(?:recoveryemail|manager.*|relations.*|emails|emails\d+(?:type|customtype|primary))$/,
  disabled: /^suspended$/,
  hasMailless: false,
  gaps: (hasAliases) => [
    ...(hasAliases ? [] : [noAliases('there is no column of them')]),
    noGroups('it lists users only'),
  ],
};

const gamGroups: KnownExport = {
  name: 'groups printed by GAM',
  isIt: (header) => has(header, 'email', 'noneditablealiases') || has(header, 'email', 'directmemberscount'),
  address: /^email$/,
  aliases: /^(?:noneditable)?aliases(?:\d+)?$/,
  others: /^(?:members|owners|managers)(?:\d.*|count)?$/,
  hasMailless: false,
  gaps: (hasAliases) => [
    ...(hasAliases ? [] : [noAliases('there is no column of them')]),
    { part: 'users', text: 'users are missing: it lists groups only' },
  ],
};

const gamAddresses: KnownExport = {
  name: 'addresses printed by GAM',
  isIt: ({ names }) => names.length === 2 && names[0] === 'type' && names[1] === 'email',
  address: /^email$/,
  kind: /^type$/,
  hasMailless: false,
  gaps: () => [],
};

const gamAliases: KnownExport = {
  name: 'aliases printed by GAM',
  isIt: (header) => has(header, 'target', 'targettype') && hasAny(header, /^(?:noneditable)?alias(?:es)?$/),
  address: /^(?:noneditable)?alias(?:es)?$/,
  others: /^target$/,
  kind: /^targettype$/,
  hasMailless: false,
  gaps: () => [
    { part: 'users', text: 'users are missing: it lists aliases only' },
    { part: 'groups', text: 'groups are missing: it lists aliases only' },
  ],
};

/** In the order in which they are tried. */
export const knownExports: readonly KnownExport[] = [
  entraTemplate,
  exchange,
  adminCenter,
  entraUsers,
  entraGroups,
  activeDirectory,
  gamAliases,
  gamGroups,
  gamUsers,
  gamAddresses,
  google,
];

/** What a list with this header cannot hold. */
export function gapsOf(header: Header, known: KnownExport | undefined, hasAliases: boolean): readonly Gap[] {
  if (known !== undefined) return known.gaps(hasAliases);
  // only directories have such a name, and what they print without aliases has left them out
  return hasAny(header, /^(?:userprincipalname|upn)$/) && !hasAliases
    ? [noAliases('it has a userPrincipalName, but no column of the other addresses')]
    : [];
}

/** What was left out of an export that could hold it: `Get-Mailbox` lists no groups, `Get-DistributionGroup` no users. */
export function kindGapsOf(known: KnownExport | undefined, kinds: ReadonlySet<EntryKind>): readonly Gap[] {
  if (known?.isOfAll !== true) return [];
  if (!kinds.has('group')) return [noGroups('there are none in it')];
  return kinds.size === 1 ? [{ part: 'users', text: 'users are missing: there are only groups in it' }] : [];
}
