/**
 * Which of the entries that the filter finds count: members of groups only, and none that `exclude.filter` matches.
 *
 * What is left out is asked for by a positive search, never as `(!(…))` in the filter: for an entry of which the server
 * cannot say whether it matches (an attribute that is not in its schema, or not ours to search) the negation is not true
 * either, RFC 4511 §4.5.1.7, and everybody would be gone. So such an entry stays.
 */
import { FilterParser, type SearchEntry } from 'ldapts';
import { RollcallError } from '../../errors.js';
import { memberFilter } from './ad-members.js';
import { normaliseDn } from './dn.js';
import { allOf } from './filter.js';
import { readOne, walkGroups, type MemberOptions, type Members } from './groups.js';
import { isSelective } from './options.js';
import type { Scan } from './scan.js';
import { doubtUnseen } from './unseen-members.js';

const maxExcluded = 200_000;

export interface Selection {
  /** In place of the scan's. */
  readonly filter: string;
  /** To ask for, in place of the plan's. */
  readonly attributes: readonly string[];
  keeps(found: SearchEntry): boolean;
  /** After everything was read: doubts and remarks that only the end can tell. */
  end(): Promise<readonly string[]>;
}

/** For a whole read; for changes of single objects see `chosenOf`. */
export async function openSelection(scan: Scan): Promise<Selection> {
  const membership = await openMembership(scan);
  const filter = membership.filter === undefined ? scan.filter : allOf(scan.filter, membership.filter);
  const out = await excludedBelow(scan, filter);
  let left = 0;
  let kept = 0;
  return {
    filter,
    attributes: membership.attributes,
    keeps: (found) => {
      // asked first: it notes who was met
      const isMember = membership.has(found);
      const isOut = out.has(found.name);
      if (isOut) left += 1;
      if (isMember && !isOut) kept += 1;
      return isMember && !isOut;
    },
    end: async () => {
      await membership.end();
      const { members } = scan.options;
      if (members !== undefined && kept + left === 0) scan.doubt(['no entry is a member of the groups']);
      return [
        ...(members === undefined
          ? []
          : [`${String(kept + left)} of them members of ${members.of.join(' and ')}`]),
        ...(left === 0 ? [] : [`${String(left)} entries left out by exclude.filter`]),
      ];
    },
  };
}

/** Which of these few entries count, asked for each by itself. */
export async function chosenOf(scan: Scan, found: readonly SearchEntry[]): Promise<readonly SearchEntry[]> {
  if (!isSelective(scan.options) || found.length === 0) return found;
  const membership = await openMembership(scan);
  const chosen: SearchEntry[] = [];
  for (const one of found) {
    const { excludeFilter } = scan.options;
    if (excludeFilter !== undefined && (await matches(scan, one.name, excludeFilter))) continue;
    if (membership.filter !== undefined && !(await matches(scan, one.name, membership.filter))) continue;
    if (membership.has(one) || (membership.uids && (await hasSuchUid(scan, membership, one))))
      chosen.push(one);
  }
  return chosen;
}

/** A look-up of one address does not ask for uid. */
async function hasSuchUid(scan: Scan, membership: Membership, { name }: SearchEntry): Promise<boolean> {
  const entry = await readOne(scan, name, ['uid']);
  return entry !== undefined && membership.has(entry);
}

interface Membership {
  /** What the server itself can decide. */
  readonly filter: string | undefined;
  readonly attributes: readonly string[];
  /** Some members are known by uid only. */
  readonly uids: boolean;
  has(found: SearchEntry): boolean;
  end(): Promise<void>;
}

async function openMembership(scan: Scan): Promise<Membership> {
  const { members, preset } = scan.options;
  const attributes = scan.plan.request;
  const all: Membership = {
    filter: undefined,
    attributes,
    uids: false,
    has: () => true,
    end: () => Promise.resolve(),
  };
  if (members === undefined) return all;
  if (preset !== 'active-directory') return walked(scan, members);
  const { filter, doubts } = await memberFilter(scan, members);
  scan.doubt(doubts);
  return { ...all, filter };
}

async function walked(scan: Scan, options: MemberOptions): Promise<Membership> {
  const members = await walkGroups(scan, options);
  scan.doubt(members.doubts);
  const own = new Set(options.includeGroups ? options.of.map((dn) => normaliseDn(dn)) : []);
  const unmet = new Set(members.dns);
  return {
    filter: undefined,
    uids: members.uids.size > 0,
    attributes: members.uids.size === 0 ? scan.plan.request : [...new Set([...scan.plan.request, 'uid'])],
    has: (found) => {
      const dn = normaliseDn(found.name) ?? '';
      unmet.delete(dn);
      return members.dns.has(dn) || own.has(dn) || hasUid(members, found);
    },
    end: () => (options.nested ? doubtUnseen(scan, members, unmet) : Promise.resolve()),
  };
}

function hasUid({ uids }: Members, found: SearchEntry): boolean {
  if (uids.size === 0) return false;
  const values = found.attributes.find(({ type }) => type.toLowerCase() === 'uid')?.values ?? [];
  return values.some((value) => uids.has(String(value).toLowerCase()));
}

/** DNs, as this server spells them, of what the filter finds and `exclude.filter` matches. */
async function excludedBelow(scan: Scan, filter: string): Promise<ReadonlySet<string>> {
  const out = new Set<string>();
  const { excludeFilter, baseDns } = scan.options;
  if (excludeFilter === undefined) return out;
  for (const baseDn of new Set(baseDns)) {
    for await (const found of scan.pages(baseDn, allOf(filter, excludeFilter), ['1.1'])) {
      for (const { name } of found) out.add(name);
      if (out.size > maxExcluded) throw tooMany(scan);
    }
  }
  return out;
}

async function matches(scan: Scan, dn: string, filter: string): Promise<boolean> {
  const answer = await scan.session.search({
    baseDN: dn,
    scope: 'base',
    filter: FilterParser.parseString(filter),
    attributes: ['1.1'],
    timeLimit: scan.options.timeLimitSeconds,
  });
  if (answer.status === 0) return answer.searchEntries.length > 0;
  throw new RollcallError('source', `${scan.session.server}: ${dn}: result ${String(answer.status)}`);
}

function tooMany(scan: Scan): RollcallError {
  const what = `exclude.filter matches more than ${String(maxExcluded)} entries`;
  return new RollcallError('source', `${scan.session.server}: ${what}`, {
    hint: 'Say in filter who counts, rather than in exclude.filter who does not.',
  });
}
