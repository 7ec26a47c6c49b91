/**
 * Membership in Active Directory as a filter: the server follows nested groups itself (MS-ADTS 3.1.1.3.4.4.3,
 * LDAP_MATCHING_RULE_IN_CHAIN), and a primary group, which is in no `memberOf`, is matched by its number.
 *
 * Promises: a group that is not there throws. What the rule cannot see: groups of other domains, whose links are not in
 * this domain's objects; of those a global catalog knows the links of universal groups only, so any other is a doubt. So is a
 * group without any member to be seen.
 */
import { FilterParser, type SearchEntry } from 'ldapts';
import { RollcallError } from '../../errors.js';
import { domainOf, isGlobalCatalog } from './ad/partitions.js';
import { firstValue } from './attribute.js';
import { normaliseDn } from './dn.js';
import { allOf, anyOf, escapeValue } from './filter.js';
import { normalOf, notThere, readOne, type MemberOptions } from './groups.js';
import type { Scan } from './scan.js';

const inChain = '1.2.840.113556.1.4.1941';
const maxNested = 500; // groups whose numbers go into the filter
const read = ['objectSid', 'groupType'];
const universal = 8; // MS-ADTS 2.2.12

export interface MemberFilter {
  readonly filter: string;
  readonly doubts: readonly string[];
}

export async function memberFilter(scan: Scan, options: MemberOptions): Promise<MemberFilter> {
  const rule = options.nested ? `:${inChain}:` : '';
  const tests: string[] = [];
  const doubts: string[] = [];
  for (const dn of options.of) {
    normalOf(dn);
    const group = await readOne(scan, dn, [...read, 'member']);
    if (group === undefined) throw notThere(scan, dn);
    const link = `(memberOf${rule}=${escapeValue(dn)})`;
    const groups = [group, ...(options.nested ? await nestedGroups(scan, link) : [])];
    doubts.push(...doubtsInCatalog(scan, groups));
    const numbers = groups.flatMap(ridOf);
    const primary = numbers.map((number) => `(primaryGroupID=${String(number)})`);
    if (!hasMembers(group) && !(await anyMatches(scan, anyOf(primary)))) {
      doubts.push(`group ${dn} shows no member: this account may not be allowed to see them`);
    }
    tests.push(link, ...primary);
    if (options.includeGroups) tests.push(`(distinguishedName=${escapeValue(dn)})`);
  }
  return { filter: anyOf(tests), doubts };
}

async function nestedGroups(scan: Scan, link: string): Promise<SearchEntry[]> {
  const groups: SearchEntry[] = [];
  for (const base of contextsOf(scan)) {
    const filter = allOf('(objectClass=group)', link);
    for await (const found of scan.pages(base, filter, read, 'sub')) groups.push(...found);
    if (groups.length > maxNested) throw tooMany(scan);
  }
  return groups;
}

/** The domain's own partition: only its objects have links to its groups. Of a global catalog, the forest. */
function contextsOf(scan: Scan): readonly string[] {
  if (isGlobalCatalog(scan)) return [''];
  return scan.facts.root.get('defaultnamingcontext') ?? scan.options.baseDns;
}

/** A catalog has all of its own domain, and of the others no members of global and domain local groups. */
function doubtsInCatalog(scan: Scan, groups: readonly SearchEntry[]): string[] {
  if (!isGlobalCatalog(scan)) return [];
  const own = normaliseDn(scan.facts.root.get('defaultnamingcontext')?.[0] ?? '');
  const unknown = groups.filter((group) => {
    const isOwn = own !== '' && normaliseDn(domainOf(group.name) ?? '') === own;
    return !isOwn && (Number(firstValue(group, 'groupType')) & universal) === 0;
  });
  if (unknown.length === 0) return [];
  const names = unknown.slice(0, 3).map(({ name }) => name);
  return [
    `the global catalog does not know all members of ${names.join(' and ')}: make it a universal group, or read its domain at port 636`,
  ];
}

/** MS-DTYP §2.4.2.2: the last sub-authority, little-endian, is the number within the domain. */
function ridOf(group: SearchEntry): number[] {
  const sid = group.attributes.find(({ type }) => type.toLowerCase() === 'objectsid')?.parsedBuffers[0];
  return sid === undefined || sid.length < 12 ? [] : [sid.readUInt32LE(sid.length - 4)];
}

function hasMembers(group: SearchEntry): boolean {
  return group.attributes.some(({ type, values }) => /^member(?:;|$)/i.test(type) && values.length > 0);
}

async function anyMatches(scan: Scan, filter: string): Promise<boolean> {
  for (const baseDN of contextsOf(scan)) {
    const answer = await scan.session.search({
      baseDN,
      scope: 'sub',
      filter: FilterParser.parseString(filter),
      attributes: ['1.1'],
      // one is enough, and result 4 as good as 0
      sizeLimit: 1,
      timeLimit: scan.options.timeLimitSeconds,
    });
    if (answer.searchEntries.length > 0) return true;
  }
  return false;
}

function tooMany(scan: Scan): RollcallError {
  const what = `more than ${String(maxNested)} groups are nested in members.of`;
  return new RollcallError('source', `${scan.session.server}: ${what}`, {
    hint: 'Set members.nested to false and name the groups, or choose by filter.',
  });
}
