/** DirSync where a real Samba is too well-behaved: rounds that bring nothing, servers without it, too many changes. */
import type { SearchEntry } from 'ldapts';
import { describe, expect, it } from 'vitest';
import { DirSyncControl } from '../../src/source/ldap/ad/controls.js';
import { beginDirSync, touchedByDirSync } from '../../src/source/ldap/ad/dirsync.js';
import type { Reading } from '../../src/source/ldap/changes.js';
import { guidBytes, guidText } from '../../src/source/ldap/guid.js';
import type { SearchQuestion } from '../../src/source/ldap/session.js';

const root = 'DC=example,DC=test';

const database = {
  server: 'CN=NTDS Settings,CN=DC1',
  invocation: '00000000-0000-0000-0000-0000000000aa',
  usn: '1000',
} as const;

interface Round {
  readonly status?: number;
  readonly entries?: readonly SearchEntry[];
  readonly more?: boolean;
  readonly cookie?: string;
}

/** A session that answers DirSync from a script, one round after the other, and keeps what it was asked. */
function scripted(rounds: readonly Round[], refuse: (flags: number) => number = () => 0) {
  const asked: { flags: number; cookie: string }[] = [];
  const left = [...rounds];
  const search = (question: SearchQuestion) => {
    const control = [question.controls ?? []].flat().find((one) => one instanceof DirSyncControl);
    if (control === undefined) return Promise.resolve(aboutItself(question));
    const { flags, cookie } = control.request;
    asked.push({ flags, cookie: cookie.toString() });
    const refused = refuse(flags);
    const round = refused === 0 ? left.shift() : { status: refused };
    if (round?.cookie !== undefined)
      control.answer = { cookie: Buffer.from(round.cookie), more: round.more ?? false };
    return Promise.resolve({
      status: round?.status ?? 0,
      errorMessage: '',
      searchEntries: round?.entries ?? [],
    });
  };
  const reading = {
    session: { server: 'ldaps://dc1.example.test', search },
    filter: '(&(mail=*)(department=Sales)(memberOf=CN=All))',
    plan: { id: 'objectGUID', addresses: ['mail'], request: ['objectGUID', 'mail'] },
    options: { timeLimitSeconds: 60 },
    facts: { root: new Map([['dsservicename', [database.server]]]) },
  } as unknown as Reading;
  return { reading, asked };
}

/** What a domain controller says of itself besides. */
function aboutItself({ attributes }: SearchQuestion) {
  const type = attributes?.[0] ?? '';
  const known: Readonly<Record<string, string | Buffer>> = {
    highestCommittedUSN: database.usn,
    invocationId: guidBytes(database.invocation),
  };
  const value = known[type];
  const entry = { attributes: [{ type, values: [value], parsedBuffers: [value] }] } as unknown as SearchEntry;
  return { status: 0, errorMessage: '', searchEntries: value === undefined ? [] : [entry] };
}

function object(number: number, deleted = false): SearchEntry {
  const guid = guidBytes(`00000000-0000-0000-0000-${String(number).padStart(12, '0')}`);
  const attributes = [
    { type: 'objectGUID', values: [], parsedBuffers: [guid] },
    ...(deleted ? [{ type: 'isDeleted', values: ['TRUE'], parsedBuffers: [] }] : []),
  ];
  return { name: `CN=${String(number)},${root}`, attributes } as unknown as SearchEntry;
}

const cursorOf = (cookie: string) =>
  ({
    version: 1,
    way: 'dirsync',
    ...database,
    flags: 0,
    cookies: [{ root, cookie: Buffer.from(cookie).toString('base64') }],
  }) as const;
const copy = (cursor: ReturnType<typeof cursorOf>) => ({ ...cursor, cookies: [...cursor.cookies] });

describe('DirSync', () => {
  it('goes on while the server says that there is more, also after rounds that brought nothing', async () => {
    const { reading, asked } = scripted([
      { entries: [object(1)], more: true, cookie: 'b' },
      { entries: [], more: true, cookie: 'c' },
      { entries: [object(2, true), object(1)], cookie: 'd' },
    ]);
    const touched = await touchedByDirSync(reading, [root], copy(cursorOf('a')), 10);
    expect(asked.map(({ cookie }) => cookie)).toEqual(['a', 'b', 'c']);
    expect([...touched.objects.values()].map(({ deleted }) => deleted)).toEqual([false, true]);
    expect(touched).toMatchObject({ doubts: [], deletionsSeen: true, cursor: cursorOf('d') });
  });

  it('begins with the flag for readable objects when the right is missing', async () => {
    const { reading, asked } = scripted([{ cookie: 'now' }], (flags) => (flags === 0 ? 50 : 0));
    expect(await beginDirSync(reading, [root])).toMatchObject({ ...cursorOf('now'), flags: 1 });
    expect(asked.map(({ flags }) => flags)).toEqual([0, 1]);
  });

  it.each([12, 53, 1])('does without it where the server refuses with result %i', async (code) => {
    const { reading } = scripted([], () => code);
    expect(await beginDirSync(reading, [root])).toBeUndefined();
  });

  it.each([
    ['the server refuses the cookie', [{ status: 12 }], 'result 12'],
    ['it loses the right', [{ status: 50 }], 'result 50'],
    ['no cookie comes back', [{ entries: [object(1)] }], 'no cookie'],
    [
      'there are too many changes',
      [{ entries: [1, 2, 3, 4].map((number) => object(number)), cookie: 'b' }],
      'more than 3',
    ],
  ])('doubts when %s', async (_, rounds, words) => {
    const { reading } = scripted(rounds);
    const { doubts } = await touchedByDirSync(reading, [root], copy(cursorOf('a')), 3);
    expect(doubts.join()).toContain(words);
  });

  it.each([
    ['another domain controller', { server: 'CN=NTDS Settings,CN=DC2' }, /another domain controller/],
    ['a restored one', { invocation: '00000000-0000-0000-0000-0000000000bb' }, /restored/],
    ['one set back without a sign of it', { usn: '1001' }, /went back/],
  ])('never takes the cookie to %s: it may know less than what was read', async (_, other, words) => {
    const { reading, asked } = scripted([{ cookie: 'b' }]);
    const touched = await touchedByDirSync(reading, [root], { ...copy(cursorOf('a')), ...other }, 3);
    expect(touched.doubts.join()).toMatch(words);
    expect(asked).toEqual([]);
  });

  it('doubts a partition without a cookie', async () => {
    const { reading } = scripted([{ cookie: 'b' }]);
    const touched = await touchedByDirSync(reading, [root, 'DC=other'], copy(cursorOf('a')), 3);
    expect(touched.doubts.join()).toContain('DC=other');
  });
});

describe('GUIDs', () => {
  it('come back as they were', () => {
    const text = '12345678-9abc-def0-1122-334455667788';
    expect(guidText(guidBytes(text))).toBe(text);
    expect(guidBytes(text).toString('hex')).toBe('78563412bc9af0de1122334455667788');
  });
});
