/**
 * Deterministic recipients for a test Active Directory, below `staffDn`: contacts to page through, and one of each kind that
 * the preset has to know.
 */
import { staffDn, suffix } from './samba-config.js';

export interface Staff {
  readonly ldif: string;
  /** Every address that exists. */
  readonly known: readonly string[];
}

interface Recipient {
  readonly cn: string;
  readonly classes: string;
  readonly lines?: readonly string[];
  readonly addresses: readonly string[];
  /** Entries of proxyAddresses that are no addresses of ours. */
  readonly others?: readonly string[];
}

/** `n` contacts, each with an alias. Contacts load four times as fast as accounts. */
export function makeContacts(n: number): Staff {
  return made(
    Array.from({ length: n }, (_, index) => ({
      cn: `contact${String(index + 1)}`,
      classes: 'contact',
      addresses: [`contact${String(index + 1)}@example.test`, `c${String(index + 1)}@example.test`],
    })),
  );
}

const disabled = 'userAccountControl: 514';
const type = (details: number): string => `msExchRecipientTypeDetails: ${String(details)}`;
const account = (name: string, ...lines: string[]): readonly string[] => [
  `sAMAccountName: ${name}`,
  ...lines,
];
const member = (cn: string): string => `member: CN=${cn},${staffDn}`;

/** One of each kind, with the names that the tests ask for. */
export function makeKinds(): Staff {
  return made([
    {
      cn: 'Anna',
      classes: 'user',
      lines: account('anna', 'userAccountControl: 66048', type(1)),
      addresses: ['anna@example.test', 'anna.alias@example.test'],
      others: ['sip:anna@sip.example.test', 'X500:/o=Example/cn=anna', 'SPO:SPO_1@SPO_2'],
    },
    {
      cn: 'Left',
      classes: 'user',
      lines: account('left', disabled, type(1)),
      addresses: ['left@example.test'],
    },
    {
      cn: 'Shared',
      classes: 'user',
      lines: account('shared', disabled, type(4), 'msExchHideFromAddressLists: TRUE'),
      addresses: ['info@example.test'],
    },
    {
      cn: 'Room',
      classes: 'user',
      lines: account('room', disabled, type(16)),
      addresses: ['room@example.test'],
    },
    {
      cn: 'Beamer',
      classes: 'user',
      lines: account('beamer', disabled, type(32)),
      addresses: ['beamer@example.test'],
    },
    {
      cn: 'Linked',
      classes: 'user',
      lines: account('linked', disabled, type(2)),
      addresses: ['linked@example.test'],
    },
    { cn: 'Partner', classes: 'contact', lines: [type(64)], addresses: ['partner@example.test'] },
    {
      cn: 'Inner',
      classes: 'group',
      lines: account('inner', member('Anna')),
      addresses: ['inner@example.test'],
    },
    {
      cn: 'Outer',
      classes: 'group',
      lines: account('outer', member('Inner'), 'msExchRequireAuthToSendTo: TRUE'),
      addresses: ['everyone@example.test'],
    },
    { cn: 'Dynamic', classes: 'msExchDynamicDistributionList', addresses: ['dynamic@example.test'] },
    { cn: 'Folder', classes: 'publicFolder', addresses: ['folder@example.test'] },
    { cn: 'Without', classes: 'user', lines: account('without', disabled), addresses: [] },
  ]);
}

function made(recipients: readonly Recipient[]): Staff {
  return {
    ldif: recipients.map(record).join(''),
    known: recipients.flatMap(({ addresses }) => addresses),
  };
}

function record({ cn, classes, lines = [], addresses, others = [] }: Recipient): string {
  const [primary, ...aliases] = addresses;
  const mail = primary === undefined ? [] : [`mail: ${primary}`, `proxyAddresses: SMTP:${primary}`];
  return [
    `dn: CN=${cn},${staffDn}`,
    `objectClass: ${classes}`,
    ...lines,
    ...mail,
    ...aliases.map((address) => `proxyAddresses: smtp:${address}`),
    ...others.map((other) => `proxyAddresses: ${other}`),
    '\n',
  ].join('\n');
}

/** LDIF change records, for `Samba.modify`. */
export const ldif = {
  contact: (cn: string, ...addresses: readonly string[]): string =>
    record({ cn, classes: 'contact', addresses }).replace('\nobjectClass', '\nchangetype: add\nobjectClass'),
  addAlias: (cn: string, address: string): string =>
    `dn: CN=${cn},${staffDn}\nchangetype: modify\nadd: proxyAddresses\nproxyAddresses: smtp:${address}\n\n`,
  move: (cn: string, from: string, to: string, renamed = cn): string =>
    `dn: CN=${cn},${from}\nchangetype: moddn\nnewrdn: CN=${renamed}\ndeleteoldrdn: 1\nnewsuperior: ${to}\n\n`,
  clear: (cn: string): string =>
    `dn: CN=${cn},${staffDn}\nchangetype: modify\ndelete: proxyAddresses\n-\ndelete: mail\n-\n\n`,
  remove: (cn: string): string => `dn: CN=${cn},${staffDn}\nchangetype: delete\n\n`,
} as const;

/** Where there is room beside `staffDn`. */
export const elsewhereDn = `CN=Users,${suffix}`;
