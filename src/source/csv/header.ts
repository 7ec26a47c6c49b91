/**
 * What each column of a list is: the primary address, further addresses, an id, a kind, a switch; or none of ours.
 *
 * Recognises the names that Exchange, Entra, Google and plain spreadsheets write, whatever their case, spaces and
 * underscores. Refuses a configured name that the header does not have.
 */
import { RollcallError } from '../../errors.js';
import type { CsvColumns } from './options.js';

export interface Columns {
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
  /** The column says "enabled": its no means disabled. */
  readonly disabledMeansNo: boolean;
  /** Columns that no address is read from. */
  readonly unread: readonly number[];
  /** Those of them in which an address would be missed: nobody chose to leave them out, and no name says it is another's. */
  readonly missed: readonly number[];
}

const addressNames = new Set(
  (
    'email mail emailaddress mailaddress address smtpaddress primarysmtpaddress primaryemail primaryemailaddress ' +
    'primaryaddress recipient recipientaddress windowsemailaddress workemail emailadresse mailadresse adresse ' +
    'courriel adresseemail correo correoelectronico epost'
  ).split(' '),
);
const aliasNames = new Set(
  (
    'alias aliases emailalias emailaliases aliasemail emailaddresses emails mails addresses proxyaddresses ' +
    'otheraddresses otheremails secondaryaddresses secondaryemail secondaryaddress secondarysmtpaddress ' +
    'alternateaddresses alternateaddress alternateemail alternateemails mailalternateaddress maillocaladdress ' +
    'aliasaddress aliasaddresses'
  ).split(' '),
);
const lastResort = new Set(['userprincipalname', 'upn']);
const enabledNames = new Set(['accountenabled', 'enabled', 'active', 'isactive']);
const disabledNames = new Set(['disabled', 'accountdisabled', 'isdisabled', 'suspended']);
/** Addresses to log in with, of other people, and of other places; without the `email`, `address` at the end of the name. */
const foreignNames = new Set(
  (
    'userprincipalname upn login loginname username signinname windowsliveid microsoftonlineservicesid manager managedby ' +
    'owner forwarding forward forwardto external target recovery contact private personal'
  ).split(' '),
);
const kindNames = new Set(['kind', 'recipienttype', 'recipienttypedetails']);

/** The columns of a header, or undefined when it names none with addresses. Throws `input` for a configured name it lacks. */
export function readHeader(
  cells: readonly string[],
  configured: CsvColumns,
  label: string,
): Columns | undefined {
  const names = cells.map(normalise);
  const find = (wanted: string): number => {
    const index = names.indexOf(normalise(wanted));
    if (index !== -1) return index;
    const there = cells.map((cell) => `"${cell.trim()}"`).join(', ');
    throw new RollcallError('input', `${label}: there is no column "${wanted}"; the header has ${there}`, {
      hint: 'Change columns in the configuration of the source, or the header.',
    });
  };
  const first = (known: ReadonlySet<string>): number | undefined => {
    const index = names.findIndex((name) => known.has(name));
    return index === -1 ? undefined : index;
  };
  const one = (wanted: string | undefined, known?: ReadonlySet<string>): number | undefined =>
    wanted === undefined ? known && first(known) : find(wanted);
  const { address, aliases, nickname } = addressColumns(names, configured, find);
  if (address.length === 0 && aliases.length === 0) return undefined;
  const enabled = first(enabledNames);
  const disabled = one(configured.disabled, disabledNames) ?? enabled;
  const id = one(configured.id);
  const kind = one(configured.kind, kindNames);
  const unread = [...names.keys()].filter((index) => ![...address, ...aliases, nickname].includes(index));
  const isChosen = configured.address !== undefined || configured.aliases !== undefined;
  const missed = unread.filter(
    (index) => !isChosen && ![id, kind, disabled].includes(index) && !isForeign(names[index] ?? ''),
  );
  return {
    names: cells.map((cell) => cell.trim()),
    address,
    aliases,
    nickname,
    id,
    kind,
    disabled,
    disabledMeansNo: disabled !== undefined && enabledNames.has(names[disabled] ?? ''),
    unread,
    missed,
  };
}

function isForeign(name: string): boolean {
  return (
    foreignNames.has(name) || foreignNames.has(name.replace(/(?:smtp)?(?:e?mail)?(?:address)?(?:e?s)?$/, ''))
  );
}

function addressColumns(
  names: readonly string[],
  configured: CsvColumns,
  find: (name: string) => number,
): { address: readonly number[]; aliases: readonly number[]; nickname: number | undefined } {
  const all = (known: ReadonlySet<string>): number[] =>
    names.flatMap((name, index) => (known.has(name) || known.has(name.replace(/\d+$/, '')) ? [index] : []));
  // Beside PrimarySmtpAddress, "Alias" is Exchange's nickname.
  const isExchange = names.includes('primarysmtpaddress') && configured.aliases === undefined;
  const nickname = isExchange ? names.indexOf('alias') : -1;
  const mapped = configured.address?.map(find) ?? [];
  const recognised = mapped.length > 0 ? mapped : all(addressNames);
  const aliases = configured.aliases?.map(find) ?? all(aliasNames).filter((index) => index !== nickname);
  const address = recognised.length === 0 && aliases.length === 0 ? all(lastResort) : recognised;
  return {
    address,
    aliases: aliases.filter((index) => !address.includes(index)),
    nickname: nickname === -1 || address.includes(nickname) ? undefined : nickname,
  };
}

/** `E-Mail Address [Required]` → `emailaddress`; `aliases.0` → `aliases0`. */
function normalise(name: string): string {
  return name
    .replace(/\[[^\]]*\]/g, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}
