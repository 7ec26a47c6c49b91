/**
 * What each column of a list is: the primary address, further addresses, an id, a kind, a switch; or none of ours.
 *
 * Recognises the names that Exchange, Entra, Google and plain spreadsheets write, whatever their case, spaces and
 * underscores. Refuses a configured name that the header does not have.
 */
import { RollcallError } from '../../errors.js';
import { gapsOf, knownExports, type Gap, type Header, type KnownExport } from './exports.js';
import type { CsvColumns } from './options.js';
import { guessUnknown } from './unknown-bytes.js';

export interface Columns {
  /** The export that the names were recognised as. */
  readonly known: KnownExport | undefined;
  /** What the list cannot hold, whatever is in its rows. */
  readonly gaps: readonly Gap[];
  /** Names as the header has them; empty when there is no header. */
  readonly names: readonly string[];
  /** Indexes of the columns with the primary address, in order. */
  readonly address: readonly number[];
  readonly aliases: readonly number[];
  /** Exchange's `Alias`: a nickname, unless there is an `@` in it. */
  readonly nickname: number | undefined;
  readonly id: number | undefined;
  readonly kind: number | undefined;
  readonly disabled: number | undefined;
  /** There is such a column, but shared mailboxes cannot be told from leavers: it is not believed. */
  readonly isDisabledUnknown: boolean;
  /** The column says "enabled": its no means disabled. */
  readonly disabledMeansNo: boolean;
  /** Column that says whether only senders of our own may write to it. */
  readonly internalOnly: number | undefined;
  /** Columns that no address is read from. */
  readonly unread: readonly number[];
  /** Those of them in which an address would be missed: nobody chose to leave them out, and no name says it is another's. */
  readonly missed: readonly number[];
}

const maxColumns = 16_384; // as many as a spreadsheet has

const addressNames = new Set(
  (
    'email mail emailaddress mailaddress address smtpaddress primarysmtpaddress primaryemail primaryemailaddress ' +
    'primaryaddress recipient recipientaddress windowsemailaddress workemail emailadresse mailadresse adresse ' +
    'courriel adresseemail correo correoelectronico epost'
  ).split(' '),
);
/** Beside a column with one of the other names, where somebody lives. */
const postalNames = new Set(['address', 'adresse']);
const aliasNames = new Set(
  (
    'alias aliases emailalias emailaliases aliasemail emailaddresses emails mails addresses proxyaddresses ' +
    'otheraddresses otheremails secondaryaddresses secondaryemail secondaryaddress secondarysmtpaddress ' +
    'alternateaddresses alternateaddress alternateemail alternateemails mailalternateaddress maillocaladdress ' +
    'aliasaddress aliasaddresses'
  ).split(' '),
);
const lastResort = new Set(['userprincipalname', 'upn']);
const internalNames = new Set(['requiresenderauthenticationenabled', 'msexchrequireauthtosendto']);
const enabledNames = new Set(['accountenabled', 'enabled', 'active', 'isactive']);
const disabledNames = new Set(['disabled', 'accountdisabled', 'isdisabled', 'suspended']);
/** Addresses to log in with, of other people, and of other places; without the `email`, `address` at the end of the name. */
const foreignNames = new Set(
  (
    'userprincipalname upn login loginname username signinname windowsliveid microsoftonlineservicesid manager managedby ' +
    'owner owners managers members forwarding forward forwardto external target recovery contact private personal'
  ).split(' '),
);
/** Names that only lists out of a directory of Microsoft's have: shared mailboxes are in it, with disabled accounts. */
const directoryNames = new Set(
  'userprincipalname upn distinguishedname dn samaccountname primarysmtpaddress'.split(' '),
);
const kindNames = new Set(['kind', 'recipienttype', 'recipienttypedetails']);

/** The columns of a header, or undefined when it names none with addresses. Throws `input` for a configured name it lacks. */
export function readHeader(
  written: readonly string[],
  configured: CsvColumns,
  label: string,
  isTemplate: boolean,
): Columns | undefined {
  if (written.length > maxColumns) {
    const counted = `the first row has ${String(written.length)} cells`;
    throw new RollcallError('input', `${label}: ${counted}: this is not a list of addresses`);
  }
  const cells = written.map((cell) => guessUnknown(cell).trim());
  const header = { cells, names: cells.map((cell) => nameOf(cell, isTemplate)), isTemplate };
  const { names } = header;
  const find = (wanted: string): number => {
    const exact = cells.indexOf(wanted);
    const index = exact === -1 ? names.indexOf(normalise(wanted)) : exact;
    if (index !== -1) return index;
    const there = cells.map((cell) => `"${cell}"`).join(', ');
    throw new RollcallError('input', `${label}: there is no column "${wanted}"; the header has ${there}`, {
      hint: 'Change columns in the configuration of the source, or the header.',
    });
  };
  const known = knownExports.find((one) => one.isIt(header));
  const { address, aliases, nickname } = addressColumns(header, known, configured, find);
  if (address.length === 0 && aliases.length === 0) return undefined;
  const isChosen = configured.address !== undefined || configured.aliases !== undefined;
  const read = new Set([...address, ...aliases, nickname]);
  const unread = [...names.keys()].filter(
    (index) => !read.has(index) && known?.others?.test(names[index] ?? '') !== true,
  );
  const switches = switchColumns(names, known, configured, find);
  const { id, kind, disabled } = switches;
  // An export that has its column of aliases has no others of them.
  const isAll = isChosen || (known !== undefined && aliases.length > 0);
  const missed = unread.filter(
    (index) => !isAll && ![id, kind, disabled].includes(index) && !isForeign(names[index] ?? ''),
  );
  const gaps = gapsOf(header, known, aliases.length > 0);
  return { known, gaps, names: cells, address, aliases, nickname, ...switches, unread, missed };
}

type Switches = Pick<
  Columns,
  'id' | 'kind' | 'disabled' | 'isDisabledUnknown' | 'disabledMeansNo' | 'internalOnly'
>;

function switchColumns(
  names: readonly string[],
  known: KnownExport | undefined,
  configured: CsvColumns,
  find: (name: string) => number,
): Switches {
  const first = (wanted: ReadonlySet<string>): number | undefined =>
    indexOr(names.findIndex((name) => wanted.has(name)));
  const own = (pattern: RegExp | undefined): number | undefined =>
    pattern && indexOr(names.findIndex((name) => pattern.test(name)));
  // RecipientType says UserMailbox of shared ones as well
  const details = indexOr(names.indexOf('recipienttypedetails'));
  const hidesShared = details === undefined && names.some((name) => directoryNames.has(name));
  const recognised = own(known?.disabled) ?? first(disabledNames) ?? first(enabledNames);
  const disabled =
    configured.disabled === undefined ? (hidesShared ? undefined : recognised) : find(configured.disabled);
  return {
    id: configured.id === undefined ? undefined : find(configured.id),
    kind:
      configured.kind === undefined
        ? (details ?? own(known?.kind) ?? first(kindNames))
        : find(configured.kind),
    disabled,
    isDisabledUnknown: disabled === undefined && recognised !== undefined,
    disabledMeansNo: disabled !== undefined && enabledNames.has(names[disabled] ?? ''),
    internalOnly: first(internalNames),
  };
}

function indexOr(index: number): number | undefined {
  return index === -1 ? undefined : index;
}

function isForeign(name: string): boolean {
  return (
    foreignNames.has(name) || foreignNames.has(name.replace(/(?:smtp)?(?:e?mail)?(?:address)?(?:e?s)?$/, ''))
  );
}

function addressColumns(
  { names }: Header,
  known: KnownExport | undefined,
  configured: CsvColumns,
  find: (name: string) => number,
): { address: readonly number[]; aliases: readonly number[]; nickname: number | undefined } {
  const all = (general: ReadonlySet<string>, own?: RegExp): number[] =>
    names.flatMap((name, index) => {
      if (known?.others?.test(name) === true || isCount(name, names)) return [];
      const isOne = general.has(name) || general.has(name.replace(/\d+$/, '')) || own?.test(name) === true;
      return isOne ? [index] : [];
    });
  const only = (pattern: RegExp): number[] => all(new Set(), pattern);
  // Beside PrimarySmtpAddress, "Alias" is Exchange's nickname.
  const isExchange = names.includes('primarysmtpaddress') && configured.aliases === undefined;
  const nickname = isExchange ? names.indexOf('alias') : -1;
  const general = (): number[] => {
    const found = all(addressNames);
    const mail = found.filter((index) => !postalNames.has((names[index] ?? '').replace(/\d+$/, '')));
    return mail.length === 0 ? found : mail;
  };
  const recognised =
    configured.address?.map(find) ?? (known?.address === undefined ? general() : only(known.address));
  const aliases =
    configured.aliases?.map(find) ?? all(aliasNames, known?.aliases).filter((index) => index !== nickname);
  const address = recognised.length === 0 && aliases.length === 0 ? all(lastResort) : recognised;
  const isAddress = new Set(address);
  return {
    address,
    aliases: aliases.filter((index) => !isAddress.has(index)),
    nickname: nickname === -1 || isAddress.has(nickname) ? undefined : nickname,
  };
}

/** Beside `aliases.0`, GAM writes into `aliases` how many there are. */
function isCount(name: string, names: readonly string[]): boolean {
  return (
    /^(?:(?:noneditable)?aliases|emails)$/.test(name) && names.some((other) => other.startsWith(`${name}0`))
  );
}

/** Entra's templates: `Block sign in (Yes/No) [accountEnabled] Required` says "disabled" under the name of the contrary. */
function nameOf(cell: string, isTemplate: boolean): string {
  const property = isTemplate ? /\[(\w+)\](?: Required)?$/i.exec(cell)?.[1] : undefined;
  if (property?.toLowerCase() === 'accountenabled' && /^block/i.test(cell)) return 'blocksignin';
  return normalise(property ?? cell);
}

/** `E-Mail Address [Required]` → `emailaddress`; `aliases.0` → `aliases0`. */
function normalise(name: string): string {
  return name
    .replace(/\[[^\]]*\]/g, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}
