/**
 * Whether this account sees what was deleted. Only administrators do by default, and a server says nothing about it: it just
 * leaves the tombstones out. So it is proved by seeing one.
 */
import { FilterParser, PagedResultsControl } from 'ldapts';
import type { Reading } from '../changes.js';
import { ShowDeletedControl } from './controls.js';

/** True when at least one tombstone in every partition is seen. A domain in which nothing was deleted for months proves nothing. */
export async function seesTombstones(reading: Reading, roots: readonly string[]): Promise<boolean> {
  for (const root of roots) if (!(await seesOne(reading, root))) return false;
  return true;
}

/** MS-ADTS 3.1.1.5.5: a tombstone is named `name\0ADEL:objectGUID`. Their container is deleted itself, and anybody may see it. */
const tombstone = /^[^=]+=(?:[^,\\]|\\.)*\\0ADEL:/i;

async function seesOne(reading: Reading, root: string): Promise<boolean> {
  const answer = await reading.session.search({
    baseDN: root,
    scope: 'sub',
    filter: FilterParser.parseString('(isDeleted=TRUE)'),
    attributes: ['objectGUID'],
    timeLimit: reading.options.timeLimitSeconds,
    returnAttributeValues: true,
    controls: [new PagedResultsControl({ critical: false, value: { size: 10 } }), new ShowDeletedControl()],
  });
  return answer.status === 0 && answer.searchEntries.some(({ name }) => tombstone.test(name));
}
