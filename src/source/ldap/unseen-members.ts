/**
 * Members of groups that the read did not meet: people without an address, people elsewhere, or something that this
 * account cannot see any more, which might be a group with members of its own.
 *
 * Promises: what cannot be seen at all is a doubt, so that the members of a nested group which was hidden are not removed.
 */
import { normaliseDn } from './dn.js';
import { readOne, type Members } from './groups.js';
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
    if ((await readOne(scan, dn, ['1.1'])) !== undefined) missing.delete(dn);
  }
}

async function tickOff(scan: Scan, bases: readonly string[], missing: Set<string>): Promise<void> {
  for (const base of bases) {
    for await (const found of scan.pages(base, '(objectClass=*)', ['1.1'], 'sub')) {
      for (const { name } of found) missing.delete(normaliseDn(name) ?? name);
    }
  }
}
