/**
 * Deterministic people and groups for a test directory.
 *
 * The same `n` always gives the same entries. Person 3 is `uid=person3`, `person3@example.com`; every third person also
 * has an alias in mailLocalAddress, every fifth one in proxyAddresses; there is one group for every twenty people.
 */
import { groupsDn, peopleDn } from './slapd-config.js';

export interface PeopleOptions {
  readonly domain?: string;
  /** Number of the first person; for a second batch that does not overlap. */
  readonly from?: number;
}

export interface People {
  readonly ldif: string;
  /** Every address that exists: primary ones, aliases, groups. */
  readonly known: readonly string[];
  /** DNs of the people, then of the groups. */
  readonly dns: readonly string[];
}

/** `n` people and `n / 20` groups. */
export function makePeople(n: number, options: PeopleOptions = {}): People {
  const domain = options.domain ?? 'example.com';
  const first = options.from ?? 1;
  const numbers = Array.from({ length: n }, (_, index) => first + index);
  const entries = [
    ...numbers.map((number) => person(number, domain)),
    ...numbers.filter((number) => number % 20 === 0).map((number) => group(number, domain)),
  ];
  return {
    ldif: entries.map((entry) => entry.ldif).join(''),
    known: entries.flatMap((entry) => entry.known),
    dns: entries.map((entry) => entry.dn),
  };
}

interface Made {
  readonly dn: string;
  readonly ldif: string;
  readonly known: readonly string[];
}

function person(number: number, domain: string): Made {
  const name = `person${String(number)}`;
  const dn = `uid=${name},${peopleDn}`;
  const local = number % 3 === 0 ? [`${name}.alias@${domain}`] : [];
  const proxies = number % 5 === 0 ? [`${name}.proxy@${domain}`] : [];
  const lines = [
    `dn: ${dn}`,
    'objectClass: inetOrgPerson',
    'objectClass: mailRouting',
    `uid: ${name}`,
    `cn: Person ${String(number)}`,
    'sn: Person',
    `mail: ${name}@${domain}`,
    ...local.map((address) => `mailLocalAddress: ${address}`),
    ...proxies.flatMap((address) => [`proxyAddresses: smtp:${address}`, `proxyAddresses: sip:${address}`]),
  ];
  return { dn, ldif: `${lines.join('\n')}\n\n`, known: [`${name}@${domain}`, ...local, ...proxies] };
}

function group(number: number, domain: string): Made {
  const name = `group${String(number)}`;
  const dn = `cn=${name},${groupsDn}`;
  const lines = [
    `dn: ${dn}`,
    'objectClass: groupOfNames',
    'objectClass: mailRouting',
    `cn: ${name}`,
    `member: uid=person${String(number)},${peopleDn}`,
    `mail: ${name}@${domain}`,
  ];
  return { dn, ldif: `${lines.join('\n')}\n\n`, known: [`${name}@${domain}`] };
}
