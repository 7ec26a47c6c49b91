/** What becomes of a verdict when the directories behind the lists were asked. */
import { describe, expect, it, test } from 'vitest';
import type { LiveAnswer } from '../../src/live/answer.js';
import { createDomainTable, type DomainOptions } from '../../src/policy/domain-table.js';
import { createConfirmOnMiss, firstOf } from '../../src/policy/miss.js';
import {
  reasons,
  replies,
  type Confirm,
  type Question,
  type Reason,
  type Verdict,
} from '../../src/policy/verdict.js';
import { domainOptions } from '../support/house.js';

const notFound: LiveAnswer = { kind: 'not-found', forMs: 1000 };
const active: LiveAnswer = { kind: 'found', claims: [{ flags: 0, spelling: null }] };
const disabled: LiveAnswer = { kind: 'found', claims: [{ flags: 1, spelling: null }] };
const internalOnly: LiveAnswer = { kind: 'found', claims: [{ flags: 2, spelling: null }] };
const limited: LiveAnswer = { kind: 'limited', forMs: 200 };
const silent: LiveAnswer = { kind: 'no-answer', forMs: 0 };

function verdictOf(reason: Reason, mode: 'enforce' | 'observe' = 'enforce', domain = 'example.com'): Verdict {
  const reply = { ...replies[reason], reason };
  const about = { domain, tenant: 'default', key: `eve@${domain}`, reference: 'REF' };
  if (mode === 'enforce' || reply.action === 'accept') return { ...reply, ...about };
  return { ...replies.known, reason, ...about, wouldBe: reply };
}

interface Case {
  readonly options?: Partial<DomainOptions>;
  readonly question?: Partial<Question>;
  readonly verdict?: Verdict;
  /** By address; everybody else is not found. */
  readonly says?: Readonly<Record<string, LiveAnswer | Promise<LiveAnswer>>>;
  readonly live?: readonly string[];
}

function ask({
  options = {},
  question = {},
  verdict = verdictOf('unknown'),
  says = {},
  live = ['staff'],
}: Case): {
  answer: Verdict | Promise<Verdict> | undefined;
  asked: string[];
} {
  const asked: string[] = [];
  const table = createDomainTable([
    domainOptions('example.com', options),
    domainOptions('alias.example', { aliasOf: 'example.com', ...options }),
  ]);
  const confirm = createConfirmOnMiss({
    domains: () => table,
    isLive: (source) => live.includes(source),
    askSource: (source, address) => {
      asked.push(source === 'staff' ? address : `${source} ${address}`);
      return says[address] ?? notFound;
    },
    reference: () => 'NEW',
    now: () => 0,
  });
  const whole: Question = {
    recipient: 'Eve@example.com',
    form: 'smtp',
    sender: 'a@elsewhere.test',
    edge: 'smtp',
    ...question,
  };
  return { answer: confirm(whole, verdict), asked };
}

async function reasonOf(one: Case): Promise<Reason | undefined> {
  return (await ask(one).answer)?.reason;
}

describe('an address that no list knows', () => {
  it('is accepted when the directory has it, at once when that is remembered', () => {
    const { answer, asked } = ask({ says: { 'Eve@example.com': active } });
    expect(answer).toMatchObject({
      ...{ action: 'accept', code: 250, reason: 'known', key: 'eve@example.com', domain: 'example.com' },
      live: [{ source: 'staff', recipient: 'eve@example.com', answer: 'found' }],
    });
    expect(asked).toEqual(['Eve@example.com']);
  });

  test.each([
    ['does not have it', notFound],
    ['is not asked, as too much is asked', limited],
    ['does not answer', silent],
  ])('keeps the word of the list when the directory %s', async (_, says) => {
    for (const given of [says, Promise.resolve(says)]) {
      const answer = await ask({ says: { 'Eve@example.com': given } }).answer;
      expect(answer).toMatchObject({ action: 'reject', code: 550, reason: 'unknown', reference: 'REF' });
      expect(answer?.live).toEqual([{ source: 'staff', recipient: 'eve@example.com', answer: says.kind }]);
    }
  });

  it('is found under its base, which waits for the word on the address itself', async () => {
    let say: (answer: LiveAnswer) => void = () => undefined;
    const itself = new Promise<LiveAnswer>((resolve) => (say = resolve));
    const { answer, asked } = ask({
      question: { recipient: 'eve+news@example.com' },
      says: { 'eve+news@example.com': itself, 'eve@example.com': active },
    });
    expect(asked).toEqual(['eve+news@example.com', 'eve@example.com']);
    say(notFound);
    expect(await answer).toMatchObject({ reason: 'subaddress', key: 'eve@example.com' });
  });

  it('that is found does not wait for its base', async () => {
    const never = new Promise<LiveAnswer>(() => undefined);
    const says = { 'eve+news@example.com': Promise.resolve(active), 'eve@example.com': never };
    expect(await reasonOf({ question: { recipient: 'eve+news@example.com' }, says })).toBe('known');
  });

  it('costs few questions, however many delimiters it has', () => {
    const { asked } = ask({ question: { recipient: 'a+b+c+d+e+f@example.com' } });
    expect(asked).toEqual(['a+b+c+d+e+f@example.com', 'a+b+c+d+e@example.com', 'a@example.com']);
  });

  it('of an alias domain is asked about in its target too', async () => {
    const one = {
      question: { recipient: 'eve+x@alias.example' },
      verdict: verdictOf('unknown', 'enforce', 'alias.example'),
    };
    expect(ask(one).asked).toEqual([
      'eve+x@alias.example',
      'eve+x@example.com',
      'eve@alias.example',
      'eve@example.com',
    ]);
    expect(await reasonOf({ ...one, says: { 'eve+x@example.com': active } })).toBe('alias-domain');
    expect(await reasonOf({ ...one, says: { 'eve@example.com': active } })).toBe('subaddress');
  });

  it('is judged by the flags of the entry, as on a list', async () => {
    expect(await reasonOf({ says: { 'Eve@example.com': disabled } })).toBe('disabled');
    expect(await reasonOf({ says: { 'Eve@example.com': internalOnly } })).toBe('internal-only');
    const inside = { sender: 'ada@example.com' };
    expect(await reasonOf({ question: inside, says: { 'Eve@example.com': internalOnly } })).toBe('known');
    const both: LiveAnswer = {
      kind: 'found',
      claims: [
        { flags: 1, spelling: null },
        { flags: 0, spelling: null },
      ],
    };
    expect(await reasonOf({ says: { 'Eve@example.com': both } })).toBe('known');
  });

  it('is told apart by case where the domain does', async () => {
    const options = { caseSensitive: true };
    const eve: LiveAnswer = { kind: 'found', claims: [{ flags: 0, spelling: 'Eve@example.com' }] };
    const other: LiveAnswer = { kind: 'found', claims: [{ flags: 0, spelling: 'EVE@example.com' }] };
    expect(await reasonOf({ options, says: { 'Eve@example.com': eve } })).toBe('known');
    expect(await reasonOf({ options, says: { 'Eve@example.com': other } })).toBe('unknown');
    const folded = { recipient: 'eve@example.com', folded: true };
    expect(await reasonOf({ options, question: folded, says: { 'eve@example.com': other } })).toBe('known');
  });

  it('is asked of the live sources of its domain, and of no other', async () => {
    const options = { sources: ['list', 'staff', 'branch'] };
    expect(ask({ options, live: ['staff', 'branch', 'elsewhere'] }).asked).toEqual([
      'Eve@example.com',
      'branch Eve@example.com',
    ]);
    expect(ask({ options, live: [] })).toEqual({ answer: undefined, asked: [] });
  });

  it('in mode observe is asked about too, and counts as known', () => {
    const verdict = verdictOf('unknown', 'observe');
    const { answer } = ask({ options: { mode: 'observe' }, verdict, says: { 'Eve@example.com': active } });
    expect(answer).toMatchObject({ action: 'accept', reason: 'known', wouldBe: undefined });
    expect(ask({ options: { mode: 'observe' }, verdict }).answer).toMatchObject({ wouldBe: { code: 550 } });
  });

  it('as Postfix gives it, without quotes, is asked about as it is', () => {
    const { asked } = ask({ question: { recipient: 'o"dd one@example.com', form: 'internal' } });
    expect(asked).toEqual(['o"dd one@example.com']);
  });
});

test.each(reasons.filter((reason) => reason !== 'unknown'))('nobody is asked about %s', (reason) => {
  for (const mode of ['enforce', 'observe'] as const) {
    const { answer, asked } = ask({ verdict: verdictOf(reason, mode), says: { 'Eve@example.com': active } });
    expect({ answer, asked }).toEqual({ answer: undefined, asked: [] });
  }
});

test('a failure of its own leaves the word of the list', async () => {
  const failures: unknown[] = [];
  const table = createDomainTable([domainOptions('example.com')]);
  const confirm = (askSource: () => Promise<LiveAnswer>): Confirm =>
    createConfirmOnMiss({
      ...{ domains: () => table, isLive: () => true, askSource, reference: () => 'NEW', now: () => 0 },
      onFailure: (error) => failures.push(error),
    });
  const question = { recipient: 'eve@example.com', form: 'smtp', edge: 'smtp' } as const;
  const verdict = verdictOf('unknown');
  const thrown = confirm(() => {
    throw new Error('defect');
  });
  expect(thrown(question, verdict)).toBeUndefined();
  const rejected = confirm(() => Promise.reject(new Error('defect')));
  expect(await rejected(question, verdict)).toBe(verdict);
  expect(failures.length).toBe(2);
});

describe('the directory first, then the mail server', () => {
  const question: Question = { recipient: 'eve@example.com', form: 'smtp', edge: 'smtp' };
  const unknown = verdictOf('unknown');
  const known = verdictOf('known');
  const live = [{ source: 'staff', recipient: 'eve@example.com', answer: 'not-found' }] as const;

  it('asks nobody else about who was found', async () => {
    const never: Confirm = () => {
      throw new Error('asked');
    };
    expect(firstOf(() => known, never)(question, unknown)).toBe(known);
    expect(await firstOf(() => Promise.resolve(known), never)(question, unknown)).toBe(known);
  });

  it('asks the mail server about who was not, and tells what both said', async () => {
    const notThere = { ...unknown, live };
    for (const first of [notThere, Promise.resolve(notThere)])
      for (const second of [known, Promise.resolve(known)])
        expect(
          await firstOf(
            () => first,
            () => second,
          )(question, unknown),
        ).toEqual({ ...known, live });
    expect(
      await firstOf(
        () => notThere,
        () => undefined,
      )(question, unknown),
    ).toBe(notThere);
  });

  it('asks the mail server at once where there is no directory', () => {
    expect(
      firstOf(
        () => undefined,
        () => known,
      )(question, unknown),
    ).toBe(known);
    expect(
      firstOf(
        () => undefined,
        () => undefined,
      )(question, unknown),
    ).toBeUndefined();
  });
});
