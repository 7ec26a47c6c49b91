/** What becomes of touched objects: told whole, told as gone when that was seen, and a doubt when nothing was seen at all. */
import type { SearchEntry } from 'ldapts';
import { describe, expect, it } from 'vitest';
import { changesOf } from '../../src/source/ldap/ad/objects.js';
import type { Touch } from '../../src/source/ldap/ad/touched.js';
import type { Reading } from '../../src/source/ldap/changes.js';
import { guidBytes, guidText } from '../../src/source/ldap/guid.js';
import type { SearchQuestion } from '../../src/source/ldap/session.js';
import type { Change } from '../../src/source/source.js';

const base = 'OU=Staff,DC=example,DC=test';
const root = 'DC=example,DC=test';
const guid = (number: number): string => `00000000-0000-0000-0000-${String(number).padStart(12, '0')}`;

/** Objects by number: `matching` is found by the filter below the base, `alive` only without it. */
async function changesFor(
  touched: readonly (readonly [number, Partial<Touch>])[],
  there: {
    readonly matching?: readonly number[];
    readonly alive?: readonly number[];
    /** Come to match when the first search below the base is over. */
    readonly later?: readonly number[];
  },
) {
  let searched = false;
  const search = ({ baseDN, filter }: SearchQuestion) => {
    const isFirst = !searched;
    searched = true;
    const matching = isFirst ? there.matching : [...(there.matching ?? []), ...(there.later ?? [])];
    const numbers = baseDN === base && String(filter).startsWith('(&') ? matching : there.alive;
    const searchEntries = (numbers ?? []).map((number): SearchEntry => {
      const id = { type: 'objectGUID', values: [], parsedBuffers: [guidBytes(guid(number))] };
      return { name: `CN=${String(number)},${baseDN}`, attributes: [id] } as unknown as SearchEntry;
    });
    return Promise.resolve({
      status: 0,
      errorMessage: '',
      searchEntries,
      searchReferences: [],
      controls: [],
    });
  };
  const reading = {
    session: { search },
    filter: '(mail=*)',
    options: { baseDns: [base], scope: 'sub', pageSize: 100, timeLimitSeconds: 60 },
    plan: { request: ['objectGUID', 'mail'] },
    facts: { paging: false },
    progress: () => undefined,
    toEntries: (found: readonly SearchEntry[]) =>
      Promise.resolve({
        entries: found.map((one) => ({ id: guidText(one.attributes[0]?.parsedBuffers[0]) })),
        doubts: [],
      }),
  } as unknown as Reading;
  const changes: Change[] = [];
  const doubts: string[] = [];
  const objects = new Map(
    touched.map(([number, touch]) => [
      guid(number),
      { deleted: false, where: `CN=${String(number)}`, ...touch },
    ]),
  );
  const lookups = { roots: [root], onSeen: () => undefined, doubt: (reason: string) => doubts.push(reason) };
  for await (const batch of changesOf(reading, objects, lookups)) changes.push(...batch);
  return { changes, doubts };
}

describe('touched objects of an Active Directory', () => {
  it('that match are told as they are, also when a tombstone of theirs was seen before', async () => {
    const { changes, doubts } = await changesFor([[1, { deleted: true }]], { matching: [1] });
    expect(changes).toEqual([{ kind: 'entry', entry: { id: guid(1) } }]);
    expect(doubts).toEqual([]);
  });

  it('that were seen elsewhere, or as a tombstone, are gone', async () => {
    const { changes, doubts } = await changesFor(
      [
        [1, {}],
        [2, { deleted: true, where: 'CN=2,CN=Deleted Objects' }],
      ],
      { alive: [1] },
    );
    expect(changes).toEqual([
      { kind: 'gone', id: guid(1), where: `CN=1,${root}` },
      { kind: 'gone', id: guid(2), where: 'CN=2,CN=Deleted Objects' },
    ]);
    expect(doubts).toEqual([]);
  });

  it('that come to match between the two searches are told as they are, not as gone', async () => {
    const { changes, doubts } = await changesFor([[1, {}]], { alive: [1], later: [1] });
    expect(changes).toEqual([{ kind: 'entry', entry: { id: guid(1) } }]);
    expect(doubts).toEqual([]);
  });

  it('that are not to be seen at all are a doubt, and not gone', async () => {
    const { changes, doubts } = await changesFor([[1, {}]], {});
    expect(changes).toEqual([]);
    expect(doubts).toEqual(['CN=1 has changed and is not to be seen any more']);
  });

  it('are looked up by the hundred', async () => {
    const many = Array.from({ length: 250 }, (_, index) => [index + 1, {}] as const);
    const { changes } = await changesFor(many, { matching: many.map(([number]) => number) });
    expect(new Set(changes.map((change) => (change.kind === 'entry' ? change.entry.id : ''))).size).toBe(250);
  });
});
