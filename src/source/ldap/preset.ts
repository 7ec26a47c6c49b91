/**
 * Presets: which entries of a directory have mail, and which attributes say what.
 *
 * Filters are wide on purpose: an entry too many is an address accepted that might not be; an entry too few is a wrong 550.
 */
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
  /**
   * True when search references are normal and do not make the answer doubtful: Active Directory names its other
   * partitions and child domains in every answer. Elsewhere a reference stands where entries could have been.
   */
  readonly referencesAreNormal: boolean;
}

const openAddresses = ['mail', 'mailAlternateAddress', 'mailLocalAddress', 'proxyAddresses'] as const;

export const presets: Readonly<Record<LdapPreset, Preset>> = {
  openldap: {
    filter: anyOf(openAddresses),
    id: 'entryUUID', // RFC 4530
    addresses: openAddresses,
    flags: ['objectClass', 'userAccountControl', 'msExchRecipientTypeDetails', 'msExchRequireAuthToSendTo'],
    referencesAreNormal: false,
  },
  'active-directory': {
    filter: anyOf(['proxyAddresses', 'mail']),
    id: 'objectGUID',
    addresses: ['mail', 'proxyAddresses'],
    flags: ['objectClass', 'userAccountControl', 'msExchRecipientTypeDetails', 'msExchRequireAuthToSendTo'],
    referencesAreNormal: true,
  },
  '389ds': {
    filter: anyOf(openAddresses),
    id: 'nsUniqueId',
    addresses: openAddresses,
    flags: ['objectClass', 'nsAccountLock'],
    referencesAreNormal: false,
  },
};

/** What to ask for: the preset, with the attributes that the configuration names instead. */
export function planAttributes(preset: LdapPreset, override: LdapAttributes = {}): AttributePlan {
  const base = presets[preset];
  const id = override.id ?? base.id;
  const addresses = override.addresses ?? base.addresses;
  return { id, addresses, request: [...new Set([id, ...addresses, ...base.flags])] };
}

function anyOf(attributes: readonly string[]): string {
  return `(|${attributes.map((attribute) => `(${attribute}=*)`).join('')})`;
}
