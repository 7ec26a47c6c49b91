/**
 * One LDAP entry to one Entry: id, kind, flags and addresses.
 *
 * Takes what the server sent as it sent it: attribute names in any case, with options (`mail;lang-en`). Refuses an entry
 * without a readable id, and a value that is not UTF-8 or holds an `@` but no address: then the entry is doubtful, and the
 * caller hears of it. The preset's wide rules err towards accepting: disabled only where no mailbox type says that a
 * disabled account still gets mail.
 */
import type { Attribute, SearchEntry } from 'ldapts';
import type { Entry, EntryAddress, EntryKind } from '../source.js';
import { newFindings, readValue } from '../written-address.js';
import { guidText } from './guid.js';
import type { AttributePlan } from './preset.js';

/** What the entry says, before ranged values are fetched. */
export interface Mapped {
  readonly dn: string;
  readonly id: string | undefined;
  readonly kind: EntryKind;
  readonly disabled: boolean;
  readonly internalOnly: boolean;
  readonly values: Values;
  /** Attributes of which only a part came: `proxyAddresses` up to value 1499. */
  readonly ranges: readonly Range[];
  /** No attribute that could hold an address came with a value, whatever it is. */
  readonly blank: boolean;
}

export interface Values {
  readonly addresses: EntryAddress[];
  /** Values that could not be used, with the reason. */
  readonly unusable: string[];
  /** One of these may have been an address. */
  doubtful: boolean;
}

export interface Range {
  readonly attribute: string;
  /** Index of the first value that did not come. */
  readonly next: number;
}

/** Names of attributes holding a GUID in Active Directory's byte order. */
const guidAttributes = new Set(['objectguid', 'ms-ds-consistencyguid', 'msds-consistencyguid']);

type Use =
  'id' | 'address' | 'objectclass' | 'useraccountcontrol' | 'nsaccountlock' | 'type' | 'internal' | 'none';

interface Known {
  readonly use: Use;
  /** As the plan spells it. */
  readonly name: string;
  readonly guid: boolean;
  /** First index after the values here; undefined when they are all. */
  readonly next: number | undefined;
}

const flags: Readonly<Record<string, Use>> = {
  objectclass: 'objectclass',
  useraccountcontrol: 'useraccountcontrol',
  nsaccountlock: 'nsaccountlock',
  msexchrecipienttypedetails: 'type',
  msexchrequireauthtosendto: 'internal',
};

/** Makes a mapper that remembers the meaning of every attribute name it has met. */
export function createMapper(plan: AttributePlan, respectDisabled: boolean): (entry: SearchEntry) => Mapped {
  const uses = new Map<string, Known>();
  const lookUp = (type: string): Known => {
    const known = uses.get(type);
    if (known !== undefined) return known;
    const learned = learn(type, plan);
    if (uses.size < 1000) uses.set(type, learned); // a name for each range: bounded by us, not by the server
    return learned;
  };
  return (entry) => mapEntry(entry, lookUp, respectDisabled);
}

function learn(type: string, plan: AttributePlan): Known {
  const [base = '', ...options] = type.toLowerCase().split(';');
  const range = options
    .map((option) => /^range=\d+-(\d+|\*)$/.exec(option)?.[1])
    .find((end) => end !== undefined);
  const next = range === undefined || range === '*' ? undefined : Number(range) + 1;
  const address = plan.addresses.find((name) => name.toLowerCase() === base);
  if (base === plan.id.toLowerCase())
    return { use: 'id', name: plan.id, guid: guidAttributes.has(base), next };
  if (address !== undefined) return { use: 'address', name: address, guid: false, next };
  return { use: flags[base] ?? 'none', name: base, guid: false, next };
}

function mapEntry(entry: SearchEntry, lookUp: (type: string) => Known, respectDisabled: boolean): Mapped {
  let id: string | undefined;
  let classes: readonly (string | Buffer)[] = [];
  let control = 0;
  let type: string | undefined;
  let locked = false;
  let internalOnly = false;
  let blank = true;
  const values: Values = { addresses: [], unusable: [], doubtful: false };
  const ranges: Range[] = [];
  for (const attribute of entry.attributes) {
    const known = lookUp(attribute.type);
    switch (known.use) {
      case 'id':
        id = known.guid ? guidText(attribute.parsedBuffers[0]) : textOf(attribute)?.toLowerCase();
        break;
      case 'address':
        addAddresses(attribute, known.name, values);
        if (attribute.values.length > 0) blank = false;
        if (known.next !== undefined) ranges.push({ attribute: known.name, next: known.next });
        break;
      case 'objectclass':
        classes = attribute.values;
        break;
      case 'useraccountcontrol':
        control = Number(textOf(attribute));
        break;
      case 'nsaccountlock':
        locked = isTrue(attribute);
        break;
      case 'type':
        type = textOf(attribute);
        break;
      case 'internal':
        internalOnly = isTrue(attribute);
        break;
      case 'none':
        // a subtype of one that was asked for comes under its own name, RFC 4512 §2.5.1
        blank = false;
        break;
    }
  }
  const disabled = respectDisabled && (locked || ((control & 2) !== 0 && mayBeDisabled(type)));
  const kind = kindOf(classes, type);
  return { dn: entry.name, id, kind, disabled, internalOnly, values, ranges, blank };
}

/** The values of one address attribute; addresses of other systems (`sip:`, `X500:`) are none of ours. */
export function addAddresses(attribute: Attribute, name: string, into: Values): void {
  const found = newFindings();
  for (const value of attribute.values) {
    if (typeof value !== 'string') {
      into.unusable.push(`a value of ${name} is not UTF-8`);
      into.doubtful = true;
      continue;
    }
    const refusedBefore = found.refused.length;
    readValue(value, found);
    if (found.refused.length > refusedBefore && value.includes('@')) into.doubtful = true;
  }
  for (const address of found.addresses) into.addresses.push({ value: address, attribute: name });
  for (const reason of found.refused) into.unusable.push(`${name}: ${reason}`);
}

function textOf(attribute: Attribute): string | undefined {
  const [value] = attribute.values;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isTrue(attribute: Attribute): boolean {
  return textOf(attribute)?.toLowerCase() === 'true';
}

/**
 * msExchRecipientTypeDetails of which a disabled account means a disabled mailbox: none, UserMailbox, RemoteUserMailbox.
 * Shared (4), room (16), equipment (32) and linked (2) mailboxes have disabled accounts and get mail.
 */
function mayBeDisabled(type: string | undefined): boolean {
  return type === undefined || type === '1' || type === '2147483648';
}

/** Linked, shared, room, equipment; remote room, equipment, shared. */
const mailboxTypes = new Set(['2', '4', '16', '32', '8589934592', '17179869184', '34359738368']);

const kinds: readonly (readonly [EntryKind, readonly string[]])[] = [
  [
    'group',
    ['group', 'groupofnames', 'groupofuniquenames', 'posixgroup', 'mailgroup', 'nismailalias', 'groupofurls'],
  ],
  ['group', ['msexchdynamicdistributionlist']],
  ['mailbox', ['publicfolder']],
  ['contact', ['contact']],
  ['user', ['user', 'person', 'inetorgperson', 'posixaccount', 'account']],
];

function kindOf(classes: readonly (string | Buffer)[], type: string | undefined): EntryKind {
  if (type !== undefined && mailboxTypes.has(type)) return 'mailbox';
  const names = classes.map((name) => String(name).toLowerCase());
  return kinds.find(([, members]) => members.some((member) => names.includes(member)))?.[0] ?? 'other';
}

/** The Entry, once id and all values are there. */
export function toEntry(mapped: Mapped, id: string): Entry {
  const { dn, kind, disabled, internalOnly, values } = mapped;
  const addresses = withoutRepeats(values.addresses);
  const entry: Entry = { id, kind, disabled, internalOnly, addresses, where: dn };
  return values.doubtful ? { ...entry, doubtful: true } : entry;
}

/** `mail` is usually among proxyAddresses too. */
function withoutRepeats(addresses: readonly EntryAddress[]): readonly EntryAddress[] {
  if (addresses.length < 2) return addresses;
  const seen = new Set<string>();
  return addresses.filter(({ value }) => !seen.has(value) && seen.add(value));
}
