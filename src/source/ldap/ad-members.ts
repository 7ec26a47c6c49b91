/**
 * Membership in Active Directory as a filter: the server follows nested groups itself (MS-ADTS 3.1.1.3.4.4.3,
 * LDAP_MATCHING_RULE_IN_CHAIN), and a primary group, which is in no `memberOf`, is matched by its number.
 *
 * Promises: a group that is not there throws. What the rule cannot see: groups of other domains, whose links are not in
 * this domain's objects. A group without any member to be seen is a doubt.
 */
import { FilterParser, type SearchEntry } from 'ldapts';
import { RollcallError } from '../../errors.js';
import { allOf, anyOf, escapeValue } from './filter.js';
import { normalOf, notThere, readOne, type MemberOptions } from './groups.js';
import type { Scan } from './scan.js';

const inChain = '1.2.840.113556.1.4.1941';
const maxNested = 500; // groups whose numbers go into the filter

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
    const group = await readOne(scan, dn, ['objectSid', 'member']);
    if (group === undefined) throw notThere(scan, dn);
    const link = `(memberOf${rule}=${escapeValue(dn)})`;
    const numbers = [group, ...(options.nested ? await nestedGroups(scan, link) : [])].flatMap(ridOf);
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
    for await (const found of scan.pages(base, filter, ['objectSid'], 'sub')) groups.push(...found);
    if (groups.length > maxNested) throw tooMany(scan);
  }
  return groups;
}

/** The domain's own partition: only its objects have links to its groups. */
function contextsOf(scan: Scan): readonly string[] {
  return scan.facts.root.get('defaultnamingcontext') ?? scan.options.baseDns;
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
