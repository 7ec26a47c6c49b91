/**
 * The members of groups by walk: each group read, and the groups among its members, breadth-first, each once.
 *
 * Takes `member` and `uniqueMember` (RFC 4519 §2.17, §2.40) and `memberUid` (RFC 2307), fetched to the end where they come in
 * ranges. Promises: "no member" is never the answer to not knowing: a group that is not there or cannot be read throws; one
 * that shows no member, or shows members by a rule (`memberURL`), is a doubt. Bounded in groups and in members; past them it
 * throws.
 */
import { PresenceFilter, type SearchEntry } from 'ldapts';
import { messageOf, RollcallError } from '../../errors.js';
import { isBelow, normaliseDn, parentOf } from './dn.js';
import { explainResult } from './explain.js';
import { fetchPart } from './ranges.js';
import type { Scan } from './scan.js';

export interface MemberOptions {
  /** DNs of the groups. */
  readonly of: readonly string[];
  /** Also members of member groups. */
  readonly nested: boolean;
  /** Also the groups in `of` themselves. */
  readonly includeGroups: boolean;
}

export interface Members {
  /** Normal DNs of all that are members. */
  readonly dns: ReadonlySet<string>;
  /** Of `memberUid`, in lower case. */
  readonly uids: ReadonlySet<string>;
  /** The groups that were read, by normal DN. */
  readonly groups: ReadonlyMap<string, string>;
  /** Where groups were looked for: below these. */
  readonly bases: readonly string[];
  readonly doubts: readonly string[];
}

export const groupFilter = `(|${[
  ...['groupOfNames', 'groupOfUniqueNames', 'groupOfMembers', 'posixGroup', 'group', 'groupOfURLs'].map(
    (name) => `(objectClass=${name})`,
  ),
  '(member=*)',
  '(uniqueMember=*)',
].join('')})`;

const limits = { groups: 10_000, known: 200_000, members: 1_000_000, rounds: 10_000 } as const;
const memberAttributes = ['member', 'uniqueMember', 'memberUid', 'memberURL'] as const;
const byFilter = 'Choose by filter instead, such as (memberOf=…), where the server keeps that attribute.';
type MemberAttribute = (typeof memberAttributes)[number];

/** Throws a RollcallError `source`: a group is not there or cannot be read, or there are too many. */
export async function walkGroups(scan: Scan, options: MemberOptions): Promise<Members> {
  const bases = await basesOf(scan, options.of);
  const known = options.nested ? await allGroups(scan, bases) : new Map<string, string>();
  const dns = new Set<string>();
  const uids = new Set<string>();
  const doubts: string[] = [];
  const groups = new Map(options.of.map((dn) => [normalOf(dn), dn]));
  // breadth-first: what is added while it is gone through is visited too, and a cycle adds nothing
  for (const dn of groups.values()) {
    scan.signal.throwIfAborted();
    const found = await readGroup(scan, dn);
    doubts.push(...found.doubts);
    for (const uid of found.uids) uids.add(uid.toLowerCase());
    for (const member of found.dns) {
      dns.add(member);
      // asked for as the server spells it: the normal form folds more than some servers do
      const group = known.get(member);
      if (group !== undefined && !groups.has(member)) groups.set(member, group);
    }
    if (groups.size > limits.groups) throw tooMany(scan, limits.groups, 'groups');
    if (dns.size + uids.size > limits.members) throw tooMany(scan, limits.members, 'members');
  }
  return { dns, uids, groups, bases, doubts };
}

interface Group {
  readonly dns: string[];
  readonly uids: string[];
  readonly doubts: string[];
}

async function readGroup(scan: Scan, dn: string): Promise<Group> {
  const entry = await readWithMembers(scan, dn);
  if (entry === undefined) throw notThere(scan, dn);
  const group: Group = { dns: [], uids: [], doubts: [] };
  for (const name of memberAttributes) {
    for (const value of await valuesOf(scan, dn, entry, name)) take(group, dn, name, value);
  }
  if (group.dns.length + group.uids.length === 0) {
    group.doubts.push(
      `group ${dn} shows no member: this account may not be allowed to see them; an empty one must not be in the list`,
    );
  }
  return group;
}

async function readWithMembers(scan: Scan, dn: string): Promise<SearchEntry | undefined> {
  try {
    return await readOne(scan, dn, ['objectClass', ...memberAttributes]);
  } catch (error) {
    if (!scan.session.lost) throw error;
    throw new RollcallError('source', `${messageOf(error)}, while group ${dn} was read`, {
      hint: `A group with very many members does not fit one answer. ${byFilter}`,
      cause: error,
    });
  }
}

function take(group: Group, dn: string, name: MemberAttribute, value: string): void {
  if (name === 'memberUid') {
    group.uids.push(value);
    return;
  }
  if (name === 'memberURL') {
    group.doubts.push(`group ${dn} has members by a rule (memberURL), which is not followed`);
    return;
  }
  // RFC 4517 §3.3.21: a uniqueMember may carry a bit string
  const member = normaliseDn(value.replace(/#'[01]*'B$/, ''));
  if (member === undefined)
    group.doubts.push(`group ${dn} has a member that is no DN: ${value.slice(0, 100)}`);
  else group.dns.push(member);
}

/** All values of one attribute; Active Directory gives 1,500 at a time (MS-ADTS 3.1.1.3.1.3.3). */
async function valuesOf(
  scan: Scan,
  dn: string,
  entry: SearchEntry,
  name: MemberAttribute,
): Promise<readonly string[]> {
  const values: string[] = [];
  let next: number | undefined;
  for (const attribute of entry.attributes) {
    const [base = '', ...options] = attribute.type.toLowerCase().split(';');
    if (base !== name.toLowerCase()) continue;
    values.push(...attribute.values.map(String));
    const end = options
      .map((option) => /^range=\d+-(\d+)$/.exec(option)?.[1])
      .find((found) => found !== undefined);
    if (end !== undefined) next = Number(end) + 1;
  }
  for (let round = 0; next !== undefined; round += 1) {
    if (round > limits.rounds || values.length > limits.members)
      throw tooMany(scan, limits.members, 'members');
    const part = await fetchPart(scan.session, dn, name, next, scan.options.timeLimitSeconds);
    if (typeof part === 'string') throw unreadable(scan, dn, part);
    values.push(...part.attribute.values.map(String));
    if (part.next !== undefined && part.next <= next) throw unreadable(scan, dn, 'the server repeats itself');
    next = part.next;
  }
  return values;
}

/** Everything that is a group, by normal DN as the server spells it: for telling people and groups apart. */
async function allGroups(scan: Scan, bases: readonly string[]): Promise<Map<string, string>> {
  const known = new Map<string, string>();
  for (const base of bases) {
    for await (const found of scan.pages(base, groupFilter, ['1.1'], 'sub')) {
      for (const { name } of found) known.set(normaliseDn(name) ?? name, name);
      if (known.size > limits.known) throw tooMany(scan, limits.known, 'groups');
    }
  }
  return known;
}

/** The naming contexts that hold the groups; where they cannot be searched, the folders of the groups and the bases of the source. */
async function basesOf(scan: Scan, of: readonly string[]): Promise<string[]> {
  const contexts = (scan.facts.root.get('namingcontexts') ?? []).map((dn) => normaliseDn(dn) ?? dn);
  const bases = new Set<string>();
  for (const dn of of.map(normalOf)) {
    const [context] = contexts
      .filter((each) => each !== '' && isBelow(dn, each))
      .sort((a, b) => b.length - a.length);
    if (context !== undefined && (await readOne(scan, context, ['1.1'])) !== undefined) bases.add(context);
    else for (const each of [parentOf(dn) ?? dn, ...scan.options.baseDns.map(normalOf)]) bases.add(each);
  }
  return [...bases].filter((base) => ![...bases].some((other) => other !== base && isBelow(base, other)));
}

/** One entry by its DN; undefined when it is not there, or not to be seen. Throws on any other answer. */
export async function readOne(
  scan: Scan,
  dn: string,
  attributes: readonly string[],
): Promise<SearchEntry | undefined> {
  const answer = await scan.session.search({
    baseDN: dn,
    scope: 'base',
    filter: new PresenceFilter({ attribute: 'objectClass' }),
    attributes: [...attributes],
    timeLimit: scan.options.timeLimitSeconds,
  });
  if (answer.status === 32) return undefined;
  if (answer.status !== 0) throw unreadable(scan, dn, explainResult(answer.status, answer.errorMessage).text);
  return answer.searchEntries[0];
}

export function normalOf(dn: string): string {
  const normal = normaliseDn(dn);
  if (normal !== undefined) return normal;
  throw new RollcallError('config', `${dn} is no distinguished name`, {
    hint: 'RFC 4514: "cn=staff,ou=groups,dc=example,dc=com"; a comma in a name is written "\\,".',
  });
}

export function notThere(scan: Scan, dn: string): RollcallError {
  return new RollcallError('source', `${scan.session.server}: group ${dn} is not there`, {
    hint: 'Check members.of: it does not exist, or this account may not see it. Until then the list in force stays.',
  });
}

export function unreadable(scan: Scan, dn: string, why: string): RollcallError {
  return new RollcallError('source', `${scan.session.server}: ${dn} cannot be read: ${why}`);
}

function tooMany(scan: Scan, limit: number, what: string): RollcallError {
  return new RollcallError(
    'source',
    `${scan.session.server}: more than ${String(limit)} ${what} in members.of`,
    {
      hint: byFilter,
    },
  );
}
