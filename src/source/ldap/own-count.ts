/**
 * How many objects the directory itself says it holds, whoever asks: to tell people who were deleted from people whom this
 * account may no longer see.
 *
 * Each preset has one definition, so that two counts can be compared; they are not counts of recipients. Promises: nothing
 * but a number or undefined, whatever the server says; a count that lacks a part is undefined.
 */
import type { SearchEntry } from 'ldapts';
import { isBelow, normaliseDn } from './dn.js';
import type { LdapPreset } from './options.js';
import { readPages } from './pager.js';
import type { Scan } from './scan.js';

const maxContainers = 50_000;

type Counter = (scan: Scan) => Promise<number | undefined>;

/** What the root DSE says where it can be asked at all. */
const signs: Readonly<Record<LdapPreset, string>> = {
  openldap: 'monitorcontext',
  '389ds': 'vendorname',
  'active-directory': 'domainfunctionality',
};

const counters: Readonly<Record<LdapPreset, Counter>> = {
  openldap: databaseEntries,
  // RFC draft-boreham-numsubordinates: what stands right below, seen or not
  '389ds': (scan) => sumOf(scan, '(numSubordinates>=1)', 'numSubordinates'),
  // MS-ADTS 3.1.1.4.5.16
  'active-directory': (scan) =>
    sumOf(
      scan,
      '(|(objectClass=organizationalUnit)(objectClass=container)(objectClass=domainDNS)(objectClass=builtinDomain))',
      'msDS-Approx-Immed-Subordinates',
    ),
};

export async function ownCountOf(scan: Scan): Promise<number | undefined> {
  if (!scan.facts.root.has(signs[scan.options.preset])) return undefined;
  try {
    return await counters[scan.options.preset](scan);
  } catch {
    // it is only a hint; a connection that is lost ends the read by itself
    return undefined;
  }
}

/** The values of one attribute over all containers below the bases. */
async function sumOf(scan: Scan, filter: string, attribute: string): Promise<number | undefined> {
  const counted = new Map<string, number>();
  for (const baseDn of new Set(scan.options.baseDns)) {
    for await (const entry of entriesOf(scan, baseDn, 'sub', filter, [attribute])) {
      const value = numberIn(entry, attribute);
      if (value !== undefined) counted.set(entry.name, value);
      if (counted.size > maxContainers) return undefined;
    }
  }
  return counted.size === 0 ? undefined : total(counted);
}

/** OpenLDAP's back-mdb counts its entries, where cn=Monitor may be read (slapd-monitor(5), olmMDBEntries). */
async function databaseEntries(scan: Scan): Promise<number | undefined> {
  const bases = scan.options.baseDns.map((dn) => normaliseDn(dn) ?? dn);
  const counted = new Map<string, number>();
  const covered = new Set<string>();
  const asked = ['namingContexts', 'olmMDBEntries'];
  for await (const entry of entriesOf(scan, 'cn=Databases,cn=Monitor', 'one', '(objectClass=*)', asked)) {
    const contexts = valuesIn(entry, 'namingContexts').map((dn) => normaliseDn(dn) ?? dn);
    const here = bases.filter((base) => contexts.some((context) => context !== '' && isBelow(base, context)));
    const value = numberIn(entry, 'olmMDBEntries');
    if (here.length === 0 || value === undefined) continue;
    counted.set(entry.name, value);
    for (const base of here) covered.add(base);
  }
  return covered.size === new Set(bases).size ? total(counted) : undefined;
}

async function* entriesOf(
  scan: Scan,
  baseDn: string,
  scope: 'sub' | 'one',
  filter: string,
  attributes: readonly string[],
): AsyncGenerator<SearchEntry, void, void> {
  const { options, facts, session } = scan;
  // cn=Monitor is small, and does not page whatever the root DSE says
  const paging = scope === 'one' ? false : facts.paging;
  const query = { ...options, baseDn, scope, filter, attributes, paging };
  // not by the scan: a doubt about this count is none about the list
  for await (const page of readPages(session, query, () => undefined)) yield* page.entries;
}

function valuesIn(entry: SearchEntry, name: string): string[] {
  const found = entry.attributes.find(({ type }) => type.toLowerCase() === name.toLowerCase());
  return found?.values.map(String) ?? [];
}

function numberIn(entry: SearchEntry, name: string): number | undefined {
  const [value = ''] = valuesIn(entry, name);
  return /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

function total(counted: ReadonlyMap<string, number>): number {
  return [...counted.values()].reduce((sum, value) => sum + value, 0);
}
