/**
 * Members of groups that the read did not meet: people without an address, people elsewhere, or something that this
 * account cannot see any more, which might be a group with members of its own.
 *
 * Promises: what cannot be seen at all is a doubt, so that the members of a nested group which was hidden are not removed.
 * So is a group that was not walked, and a member that the server calls by another name: the read may have met it under that.
 */
import { FilterParser } from 'ldapts';
import { normaliseDn } from './dn.js';
import { explainResult } from './explain.js';
import { groupFilter, readOne, unreadable, type Members } from './groups.js';
import type { Scan } from './scan.js';

const few = 500; // asked for one by one; more are looked up in a listing of everything
const told = 3;

/** `unmet`: normal DNs of the members that were not among the entries read. */
export async function doubtUnseen(scan: Scan, members: Members, unmet: ReadonlySet<string>): Promise<void> {
  const missing = new Set([...unmet].filter((dn) => !members.groups.has(dn)));
  if (missing.size > few) await tickOff(scan, members.bases, missing);
  if (missing.size <= few) await askEach(scan, missing);
  if (missing.size === 0) return;
  const first = [...missing].slice(0, told).join('; ');
  const rest = missing.size > told ? `; and ${String(missing.size - told)} more` : '';
  scan.doubt([
    `members that cannot be seen, and may be groups: ${first}${rest}: take them out of the groups if they are gone`,
  ]);
}

async function askEach(scan: Scan, missing: Set<string>): Promise<void> {
  for (const dn of missing) {
    scan.signal.throwIfAborted();
    const found = await readOne(scan, dn, ['1.1']);
    if (found === undefined) continue;
    missing.delete(dn);
    if (normaliseDn(found.name) !== dn) scan.doubt([`member ${dn} is called ${found.name} by the server`]);
    else if (await isGroup(scan, found.name))
      scan.doubt([`group ${found.name} is a member and was not followed: name it in members.of as well`]);
  }
}

/** Those below the bases have been walked; this one stands in another naming context, or is new. */
async function isGroup(scan: Scan, dn: string): Promise<boolean> {
  const answer = await scan.session.search({
    baseDN: dn,
    scope: 'base',
    filter: FilterParser.parseString(groupFilter),
    attributes: ['1.1'],
    timeLimit: scan.options.timeLimitSeconds,
  });
  if (answer.status === 0) return answer.searchEntries.length > 0;
  throw unreadable(scan, dn, explainResult(answer.status, answer.errorMessage).text);
}

async function tickOff(scan: Scan, bases: readonly string[], missing: Set<string>): Promise<void> {
  for (const base of bases) {
    for await (const found of scan.pages(base, '(objectClass=*)', ['1.1'], 'sub')) {
      for (const { name } of found) missing.delete(normaliseDn(name) ?? name);
    }
  }
}
