/** What becomes of a verdict when the domain's own mail server was asked. */
import { describe, expect, test } from 'vitest';
import { acceptsAll, known, unanswered, unknown, type Finding } from '../../src/callahead/finding.js';
import { createConfirm, mergeFindings } from '../../src/policy/confirm.js';
import { createDomainTable, type DomainOptions } from '../../src/policy/domain-table.js';
import { reasons, replies, type Question, type Reason, type Verdict } from '../../src/policy/verdict.js';
import { domainOptions } from '../support/house.js';

const hour = 3_600_000;
const now = Date.UTC(2026, 0, 1);
const lately: Finding = { kind: 'unknown', knownUntil: now - hour };
const longAgo: Finding = { kind: 'unknown', knownUntil: now - 25 * hour };

const question: Question = { recipient: 'Eve@example.com', form: 'smtp', edge: 'smtp' };

function verdictOf(reason: Reason, mode: 'enforce' | 'observe' = 'enforce'): Verdict {
  const reply = { ...replies[reason], reason };
  const about = { domain: 'example.com', tenant: 'default', key: 'eve@example.com', reference: 'REF' };
  if (mode === 'enforce' || reply.action === 'accept') return { ...reply, ...about };
  return { ...replies.known, reason, ...about, wouldBe: reply };
}

interface Case {
  readonly options?: Partial<DomainOptions>;
  readonly question?: Partial<Question>;
  readonly find?: (source: string, address: string) => Finding | Promise<Finding>;
}

function confirmWith({ options = {}, question: more = {}, find = () => unknown }: Case, verdict: Verdict) {
  const asked: string[] = [];
  const table = createDomainTable([
    domainOptions('example.com', { sources: [], callAhead: ['server'], ...options }),
    domainOptions('target.example', { sources: [], callAhead: ['server'] }),
  ]);
  const confirm = createConfirm({
    domains: () => table,
    askServer: (source, { address }) => {
      asked.push(`${source} ${address}`);
      return find(source, address);
    },
    reference: () => 'NEW',
    now: () => now,
  });
  return { answer: confirm({ ...question, ...more }, verdict), asked };
}

function reasonOf(reason: Reason, finding: Finding, sources: readonly string[] = []): Reason | undefined {
  const { answer } = confirmWith({ options: { sources }, find: () => finding }, verdictOf(reason));
  return (answer as Verdict | undefined)?.reason;
}

describe('a domain without a list', () => {
  test.each([
    ['known', known, 'known'],
    ['unknown', unknown, 'unknown'],
    ['unknown, and known until an hour ago', lately, 'removed'],
    ['unknown, and known until yesterday', longAgo, 'unknown'],
    ['everybody', acceptsAll, 'catch-all'],
    ['nothing', unanswered, 'failure'],
  ] as const)('whose server says %s', (_, finding, reason) => {
    expect(reasonOf('never-synced', finding)).toBe(reason);
  });
});

describe('a domain with a list as well', () => {
  test.each([
    ['unknown', known, 'known'],
    ['unknown', unknown, 'unknown'],
    ['unknown', lately, 'removed'],
    ['unknown', acceptsAll, 'unknown'],
    ['unknown', unanswered, 'failure'],
    ['removed', known, 'known'],
    ['removed', unknown, 'removed'],
    ['removed', acceptsAll, 'removed'],
    ['removed', unanswered, 'removed'],
    ['stale', known, 'known'],
    ['stale', unknown, 'stale'],
    ['stale', acceptsAll, 'stale'],
    ['stale', unanswered, 'stale'],
    ['never-synced', known, 'known'],
    ['never-synced', unknown, 'never-synced'],
    ['never-synced', acceptsAll, 'never-synced'],
    ['never-synced', unanswered, 'never-synced'],
  ] as const)('list: %s; server: %o; answer: %s', (reason, finding, expected) => {
    expect(reasonOf(reason, finding, ['list'])).toBe(expected);
  });

  test('which is stale and accepted past `staleAfter` still asks first', () => {
    const options = { sources: ['list'], whenStale: 'accept' } as const;
    const after = (finding: Finding) =>
      confirmWith({ options, find: () => finding }, verdictOf('stale')).answer as Verdict;
    expect(after(known)).toMatchObject({ action: 'accept', reason: 'known' });
    expect(after(unknown)).toMatchObject({ action: 'accept', reason: 'stale' });
    expect(after(unanswered)).toMatchObject({ action: 'accept', reason: 'stale' });
  });
});

describe('never asked', () => {
  test.each(reasons.filter((each) => !['unknown', 'removed', 'stale', 'never-synced'].includes(each)))(
    'about %s',
    (reason) => {
      const { answer, asked } = confirmWith({ find: () => known }, verdictOf(reason));
      expect({ answer, asked }).toEqual({ answer: undefined, asked: [] });
    },
  );

  test('for a domain without such a source', () => {
    const { answer } = confirmWith({ options: { callAhead: [], sources: ['list'] } }, verdictOf('unknown'));
    expect(answer).toBeUndefined();
  });
});

describe('what is asked', () => {
  test('is the address as it was given, the domain as A-label', () => {
    const more = { recipient: '<"J. Doe"@EXAMPLE.com>' };
    expect(confirmWith({ question: more }, verdictOf('unknown')).asked).toEqual([
      'server "J. Doe"@example.com',
    ]);
    const internal = { recipient: 'J. Doe@example.com', form: 'internal' } as const;
    expect(confirmWith({ question: internal }, verdictOf('unknown')).asked).toEqual([
      'server "J. Doe"@example.com',
    ]);
  });

  test('of an alias domain is the target as well, and the kinder counts', () => {
    const options = { aliasOf: 'target.example' };
    const find = (_: string, address: string) => (address.endsWith('@target.example') ? known : unknown);
    const { answer, asked } = confirmWith({ options, find }, verdictOf('unknown'));
    expect(asked).toEqual(['server Eve@example.com', 'server Eve@target.example']);
    expect(answer).toMatchObject({ action: 'accept', reason: 'known' });
  });

  test('who folded case before asking is not held to it where case tells mailboxes apart', () => {
    const folded = { options: { caseSensitive: true }, question: { folded: true } };
    expect(confirmWith(folded, verdictOf('never-synced')).answer).toMatchObject({ action: 'defer' });
  });
});

describe('several servers', () => {
  test('deny only together', () => {
    expect(mergeFindings([unknown, known]).kind).toBe('known');
    expect(mergeFindings([unknown, unanswered]).kind).toBe('unanswered');
    expect(mergeFindings([unknown, unknown]).kind).toBe('unknown');
    expect(mergeFindings([unknown, lately])).toEqual(lately);
    expect(mergeFindings([]).kind).toBe('unanswered');
  });
});

describe('the verdict', () => {
  test('is there at once when the answer is, and a promise otherwise', async () => {
    const at = confirmWith({ find: () => unknown }, verdictOf('never-synced')).answer;
    expect(at).toMatchObject({ action: 'reject', code: 550, status: '5.1.1', reference: 'NEW' });
    const later = confirmWith({ find: () => Promise.resolve(known) }, verdictOf('never-synced')).answer;
    expect(later).toBeInstanceOf(Promise);
    expect(await later).toMatchObject({ action: 'accept', reason: 'known', key: 'eve@example.com' });
  });

  test('in mode observe accepts, with what it would have been', () => {
    const observe = { options: { mode: 'observe' } } as const;
    const after = (finding: Finding) =>
      confirmWith({ ...observe, find: () => finding }, verdictOf('never-synced', 'observe'))
        .answer as Verdict;
    expect(after(unknown)).toMatchObject({ action: 'accept', wouldBe: { reason: 'unknown', code: 550 } });
    expect(after(unanswered)).toMatchObject({ action: 'accept', wouldBe: { reason: 'failure', code: 451 } });
    expect(after(known).wouldBe).toBeUndefined();
  });

  test('is a defer when asking throws', () => {
    const find = () => {
      throw new Error('a defect');
    };
    expect(confirmWith({ find }, verdictOf('never-synced')).answer).toMatchObject({ action: 'defer' });
  });
});

describe('the spelling', () => {
  test.each([
    ['a..b@example.com', 'smtp', 'a..b@example.com'],
    ['<.a.@example.com>', 'smtp', '.a.@example.com'],
    ['"a..b"@example.com', 'smtp', '"a..b"@example.com'],
    ['"a b"@example.com', 'smtp', '"a b"@example.com'],
    ['a b@example.com', 'internal', '"a b"@example.com'],
    ['a..b@example.com', 'internal', '"a..b"@example.com'],
  ] as const)('of %s (%s) is asked as given', (recipient, form, spelled) => {
    const { asked } = confirmWith({ question: { recipient, form } }, verdictOf('never-synced'));
    expect(asked).toEqual([`server ${spelled}`]);
  });
});
