/**
 * Presets: which entries of a directory have mail, and which attributes say what.
 *
 * Filters are wide on purpose: an entry too many is an address accepted that might not be; an entry too few is a wrong 550.
 */
import { domainToUnicode } from 'node:url';
import { escapeValue } from './filter.js';
import type { LdapAttributes, LdapPreset } from './options.js';

export interface AttributePlan {
  readonly id: string;
  readonly addresses: readonly string[];
  /** Every attribute to ask for. */
  readonly request: readonly string[];
}

interface Preset {
  readonly filter: string;
  readonly id: string;
  readonly addresses: readonly string[];
  /** Asked for besides the id and the addresses; mapping.ts knows what they mean. */
  readonly flags: readonly string[];
  /** Who holds this address, spelled in any of the ways in which such a directory holds one. */
  readonly addressFilter: (address: string, plan: AttributePlan) => string;
  /** Search references behind which there are no people. Any other stands where entries could have been. */
  readonly harmlessReference: (uri: string) => boolean;
  /** What to do about the others. */
  readonly referenceHint: string;
}

const openAddresses = ['mail', 'mailAlternateAddress', 'mailLocalAddress', 'proxyAddresses'] as const;

const others = {
  addressFilter: holdsAddress,
  harmlessReference: () => false,
  referenceHint: 'add that server as another source, and name bases without the reference',
};

export const presets: Readonly<Record<LdapPreset, Preset>> = {
  openldap: {
    filter: present(openAddresses),
    id: 'entryUUID', // RFC 4530
    addresses: openAddresses,
    flags: ['objectClass', 'userAccountControl', 'msExchRecipientTypeDetails', 'msExchRequireAuthToSendTo'],
    ...others,
  },
  'active-directory': {
    filter: present(['proxyAddresses', 'mail']),
    id: 'objectGUID',
    addresses: ['mail', 'proxyAddresses'],
    flags: ['objectClass', 'userAccountControl', 'msExchRecipientTypeDetails', 'msExchRequireAuthToSendTo'],
    addressFilter: holdsAddress,
    harmlessReference: isPartition,
    referenceHint:
      'search the global catalog (port 3268), or add that domain as another source and name the OUs of this one in baseDn',
  },
  '389ds': {
    filter: present(openAddresses),
    id: 'nsUniqueId',
    addresses: openAddresses,
    flags: ['objectClass', 'nsAccountLock'],
    ...others,
  },
};

/** What to ask for: the preset, with the attributes that the configuration names instead. */
export function planAttributes(preset: LdapPreset, override: LdapAttributes = {}): AttributePlan {
  const base = presets[preset];
  const id = override.id ?? base.id;
  const addresses = override.addresses ?? base.addresses;
  return { id, addresses, request: [...new Set([id, ...addresses, ...base.flags])] };
}

/**
 * Active Directory names its other partitions in every answer for a whole domain: the configuration, the schema and DNS are
 * harmless, a child domain is not.
 */
function isPartition(uri: string): boolean {
  const path = /^ldaps?:\/\/[^/]*\/([^?]*)/i.exec(uri)?.[1] ?? '';
  // RFC 4516 §2.1: the DN may be percent-encoded.
  const dn = path.replaceAll(/%2C/gi, ',').replaceAll(/%3D/gi, '=').replaceAll(/%20/g, ' ');
  return /^ *(?:(?:CN *= *Schema *, *)?CN *= *Configuration|DC *= *(?:Domain|Forest)DnsZones) *,/i.test(dn);
}

/** proxyAddresses hold a scheme before the address; the other attributes may, as written-address.ts reads it everywhere. */
function holdsAddress(address: string, plan: AttributePlan): string {
  const spellings = spellingsOf(address).map(escapeValue);
  const tests = plan.addresses.flatMap((attribute) =>
    spellings.flatMap((value) => [`(${attribute}=${value})`, `(${attribute}=smtp:${value})`]),
  );
  return `(|${tests.join('')})`;
}

/** As asked, and with the domain in the other of its two forms: `müller.example` and `xn--mller-kva.example`. */
function spellingsOf(address: string): string[] {
  const at = address.lastIndexOf('@');
  const [local, domain] = [address.slice(0, at + 1), address.slice(at + 1)];
  const unicode = domainToUnicode(domain);
  return [...new Set([address, ...(unicode === '' ? [] : [`${local}${unicode}`])])];
}

function present(attributes: readonly string[]): string {
  return `(|${attributes.map((attribute) => `(${attribute}=*)`).join('')})`;
}
