/** What a directory is asked, and what it is not: limits, memory, deadlines. The clock is the test's. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LiveAnswer, LiveQuestion } from '../../src/live/answer.js';
import { createLookups, type Lookups } from '../../src/live/lookups.js';
import { PassingFailure } from '../../src/source/passing-failure.js';
import { silentLogger } from '../../src/telemetry/log.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

interface Directory {
  readonly asked: string[];
  readonly claimed: string[];
  atOnce: number;
  /** What it answers: true, false, or throws. */
  has: (address: string) => boolean;
  delayMs: number;
}

interface Limits {
  readonly perSecond?: number;
  readonly timeoutMs?: number;
  readonly negativeForMs?: number;
}

function open(limits: Limits = {}): { directory: Directory; lookups: Lookups; mostAtOnce: () => number } {
  const directory: Directory = { asked: [], claimed: [], atOnce: 0, has: () => false, delayMs: 0 };
  let most = 0;
  const lookups = createLookups({
    log: silentLogger(),
    now: () => Date.now(),
    route: ({ address }) => ({
      key: address,
      domain: address.slice(address.indexOf('@') + 1),
      perSecond: 5,
      timeoutMs: 2000,
      negativeForMs: 600_000,
      ...limits,
      async find(signal) {
        directory.asked.push(address);
        directory.atOnce += 1;
        most = Math.max(most, directory.atOnce);
        try {
          await wait(directory.delayMs, signal);
          const claims = directory.has(address) ? [{ flags: 0, spelling: null }] : [];
          return { claims, claim: () => directory.claimed.push(address) };
        } finally {
          directory.atOnce -= 1;
        }
      },
    }),
  });
  return { directory, lookups, mostAtOnce: () => most };
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (ms === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}

function about(address: string, look = false): LiveQuestion {
  return { source: 'staff', address, look };
}

/** Asks, lets so much time pass, and gives the answer and when it came. */
async function timed(lookups: Lookups, address: string): Promise<{ answer: LiveAnswer; afterMs: number }> {
  const began = Date.now();
  const asked = Promise.resolve(lookups.ask(about(address))).then((answer) => ({
    answer,
    afterMs: Date.now() - began,
  }));
  await vi.advanceTimersByTimeAsync(10_000);
  return asked;
}

describe('a harvest', () => {
  it('of 1,000 unknown addresses a second costs the directory its rate and no more', async () => {
    const { directory, lookups } = open({ perSecond: 5 });
    const kinds = new Map<string, number>();
    for (let i = 0; i < 60_000; i += 1) {
      void Promise.resolve(lookups.ask(about(`h${i}@example.com`))).then(({ kind }) =>
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1),
      );
      await vi.advanceTimersByTimeAsync(1);
    }
    await vi.advanceTimersByTimeAsync(2000);
    expect(directory.asked.length).toBeLessThanOrEqual(5 + 5 * 62);
    expect(directory.asked.length).toBeGreaterThan(290);
    expect([...kinds.values()].reduce((sum, n) => sum + n, 0)).toBe(60_000);
    expect(kinds.get('not-found')).toBe(directory.asked.length);
    expect(kinds.get('limited')).toBe(60_000 - directory.asked.length);
  });

  it('leaves the directory time to answer, and does not take it for dead', async () => {
    const { directory, lookups } = open({ perSecond: 5 });
    directory.delayMs = 300;
    for (let i = 0; i < 3000; i += 1) {
      void lookups.ask(about(`h${i}@example.com`));
      await vi.advanceTimersByTimeAsync(10);
    }
    await vi.advanceTimersByTimeAsync(2000);
    const [figures] = lookups.figures();
    expect(figures?.answers['no-answer']).toBe(0);
    expect(figures?.answers['not-found']).toBeGreaterThan(140);
  });

  it('of one domain does not keep the directory from another', async () => {
    const { directory, lookups } = open({ perSecond: 5 });
    directory.delayMs = 100;
    for (let i = 0; i < 1000; i += 1) void lookups.ask(about(`h${i}@harvested.example`));
    const { answer, afterMs } = await timed(lookups, 'new@quiet.example');
    expect(answer.kind).toBe('not-found');
    expect(afterMs).toBeLessThanOrEqual(300);
  });

  it('of the same addresses is answered out of memory until negativeFor is over', async () => {
    const { directory, lookups } = open({ negativeForMs: 60_000 });
    directory.has = () => false;
    await timed(lookups, 'eve@example.com');
    for (let i = 0; i < 1000; i += 1)
      expect(lookups.ask(about('eve@example.com'))).toMatchObject({ kind: 'not-found' });
    expect(directory.asked).toEqual(['eve@example.com']);
    await vi.advanceTimersByTimeAsync(60_000);
    directory.has = () => true;
    expect((await timed(lookups, 'eve@example.com')).answer.kind).toBe('found');
  });

  it('is told apart in the figures from what reached the directory', async () => {
    const { lookups } = open({ perSecond: 5 });
    for (let i = 0; i < 500; i += 1) void lookups.ask(about(`h${i}@example.com`));
    await vi.advanceTimersByTimeAsync(5000);
    const [figures] = lookups.figures();
    // five at once, and those whose turn comes within a second and a half
    expect(figures?.finds).toBe(12);
    expect(figures?.answers).toEqual({ found: 0, 'not-found': 12, limited: 488, 'no-answer': 0 });
  });
});

describe('a slow directory', () => {
  it('delays nobody past the deadline, however many ask', async () => {
    const { directory, lookups, mostAtOnce } = open({ perSecond: 1000, timeoutMs: 2000 });
    directory.delayMs = 60_000;
    const began = Date.now();
    const answers: number[] = [];
    for (let i = 0; i < 500; i += 1)
      void Promise.resolve(lookups.ask(about(`h${i}@example.com`))).then(() =>
        answers.push(Date.now() - began),
      );
    await vi.advanceTimersByTimeAsync(2000);
    expect(answers.length).toBe(500);
    expect(Math.max(...answers)).toBeLessThanOrEqual(2000);
    expect(mostAtOnce()).toBe(2);
  });

  it('is given up at 95 % of the deadline, and who waits for his turn is told at 75 %: to the millisecond', async () => {
    const { directory, lookups } = open({ perSecond: 1000, timeoutMs: 2000 });
    directory.delayMs = 60_000;
    const began = Date.now();
    const answers: [string, number][] = [];
    for (const name of ['a', 'b', 'c'])
      void Promise.resolve(lookups.ask(about(`${name}@example.com`))).then(({ kind }) =>
        answers.push([`${name} ${kind}`, Date.now() - began]),
      );
    await vi.advanceTimersByTimeAsync(10_000);
    expect(answers).toEqual([
      ['c limited', 1500],
      ['a no-answer', 1900],
      ['b no-answer', 1900],
    ]);
  });

  it('keeps a bounded queue, whatever number of domains it is asked about', async () => {
    const { directory, lookups } = open();
    directory.delayMs = 60_000;
    const answers = Array.from({ length: 500 }, (_, i) => lookups.ask(about(`new@d${i}.example`)));
    const atOnce: LiveAnswer[] = [];
    for (const answer of answers) void Promise.resolve(answer).then((given) => atOnce.push(given));
    await vi.advanceTimersByTimeAsync(1);
    expect(atOnce.length).toBe(500 - 100 - 2);
    expect(new Set(atOnce.map(({ kind }) => kind))).toEqual(new Set(['limited']));
  });

  it('that does not even stop when it is told to gives its place back', async () => {
    const lookups = createLookups({
      log: silentLogger(),
      now: () => Date.now(),
      route: ({ address }) => ({
        ...{ key: address, domain: 'example.com', perSecond: 5, timeoutMs: 1000, negativeForMs: 1000 },
        find: () =>
          address.startsWith('stuck')
            ? new Promise(() => undefined)
            : Promise.resolve({ claims: [], claim: () => undefined }),
      }),
    });
    void lookups.ask(about('stuck1@example.com'));
    const { answer, afterMs } = await timed(lookups, 'stuck2@example.com');
    expect({ kind: answer.kind, isInTime: afterMs <= 1000 }).toEqual({ kind: 'no-answer', isInTime: true });
    expect((await timed(lookups, 'free@example.com')).answer.kind).toBe('not-found');
  });

  it('that fails again and again is left alone, and tried again later', async () => {
    const { directory, lookups } = open();
    directory.has = () => {
      throw new Error('down');
    };
    for (const name of ['a', 'b', 'c'])
      expect(await lookups.ask(about(`${name}@example.com`))).toMatchObject({ kind: 'no-answer' });
    expect(await lookups.ask(about('d@example.com'))).toEqual({ kind: 'no-answer', forMs: 10_000 });
    expect(directory.asked.length).toBe(3);
    directory.has = () => true;
    await vi.advanceTimersByTimeAsync(10_001);
    expect(await lookups.ask(about('d@example.com'))).toMatchObject({ kind: 'found' });
  });

  it('that refuses the password is not asked again for long, so that the account is not locked', async () => {
    const { directory, lookups } = open();
    directory.has = () => {
      throw new Error('invalid credentials', { cause: Object.assign(new Error('49'), { code: 49 }) });
    };
    await lookups.ask(about('a@example.com'));
    await vi.advanceTimersByTimeAsync(14 * 60_000);
    await lookups.ask(about('b@example.com'));
    expect(directory.asked).toEqual(['a@example.com']);
    await vi.advanceTimersByTimeAsync(2 * 60_000);
    await lookups.ask(about('b@example.com'));
    expect(directory.asked.length).toBe(2);
  });

  it('that asks to be left alone is, for an hour at most', async () => {
    const { directory, lookups } = open();
    directory.has = () => {
      throw new PassingFailure('throttled', { retryAfterMs: 1e12 });
    };
    await lookups.ask(about('a@example.com'));
    expect(await lookups.ask(about('b@example.com'))).toEqual({ kind: 'no-answer', forMs: 3_600_000 });
    await vi.advanceTimersByTimeAsync(3_599_999);
    await lookups.ask(about('b@example.com'));
    expect(directory.asked).toEqual(['a@example.com']);
    await vi.advanceTimersByTimeAsync(1);
    await lookups.ask(about('b@example.com'));
    expect(directory.asked.length).toBe(2);
  });

  it('that is left alone for long is told in the log, whatever was told a moment ago', async () => {
    const log = silentLogger();
    const warn = vi.spyOn(log, 'warn');
    const errors = [
      new Error('down'),
      new Error('down'),
      new PassingFailure('busy', { retryAfterMs: 600_000 }),
    ];
    const lookups = createLookups({
      log,
      route: ({ address }) => ({
        ...{ key: address, domain: 'example.com', perSecond: 5, timeoutMs: 1000, negativeForMs: 1000 },
        find: () => Promise.reject(errors.shift() ?? new Error('asked again')),
      }),
    });
    for (const name of ['a', 'b', 'c', 'd']) await lookups.ask(about(`${name}@example.com`));
    expect(warn.mock.calls.map(([fields]) => fields)).toEqual([
      { source: 'staff', err: 'down', leftAloneMs: 0 },
      { source: 'staff', err: 'busy', leftAloneMs: 600_000 },
    ]);
  });

  it('that refused the old password is asked at once after a reload, whoever still waits from before', async () => {
    const { directory, lookups } = open();
    directory.delayMs = 100;
    directory.has = (address) => {
      if (address.startsWith('new')) return true;
      throw new Error('invalid credentials', { cause: Object.assign(new Error('49'), { code: 49 }) });
    };
    const old = lookups.ask(about('old@example.com'));
    await vi.advanceTimersByTimeAsync(50);
    lookups.forget();
    await vi.advanceTimersByTimeAsync(50);
    expect(await old).toMatchObject({ kind: 'no-answer' });
    expect((await timed(lookups, 'new@example.com')).answer.kind).toBe('found');
  });

  it('that fails has not said that somebody is unknown', async () => {
    const { directory, lookups } = open();
    directory.has = () => {
      throw new Error('size limit');
    };
    expect(await lookups.ask(about('ada@example.com'))).toMatchObject({ kind: 'no-answer' });
    directory.has = () => true;
    expect(await lookups.ask(about('ada@example.com'))).toMatchObject({ kind: 'found' });
  });
});

describe('one address', () => {
  it('is asked about once at a time, and claimed once', async () => {
    const { directory, lookups } = open();
    directory.has = () => true;
    directory.delayMs = 500;
    const answers = Array.from({ length: 100 }, () => lookups.ask(about('grace@example.com')));
    await vi.advanceTimersByTimeAsync(500);
    expect(
      new Set((await Promise.all(answers.map((answer) => Promise.resolve(answer)))).map(({ kind }) => kind)),
    ).toEqual(new Set(['found']));
    expect(lookups.ask(about('grace@example.com'))).toMatchObject({ kind: 'found' });
    expect(directory.asked).toEqual(['grace@example.com']);
    expect(directory.claimed).toEqual(['grace@example.com']);
  });

  it('that a person only looked at is claimed with the first mail for it', async () => {
    const { directory, lookups } = open();
    directory.has = () => true;
    expect(await lookups.ask(about('grace@example.com', true))).toMatchObject({ kind: 'found' });
    expect(directory.claimed).toEqual([]);
    expect(await lookups.ask(about('grace@example.com'))).toMatchObject({ kind: 'found' });
    expect(directory.claimed).toEqual(['grace@example.com']);
    expect(directory.asked.length).toBe(1);
  });

  it('that mail comes for while a person looks is claimed', async () => {
    const { directory, lookups } = open();
    directory.has = () => true;
    directory.delayMs = 100;
    const looked = lookups.ask(about('grace@example.com', true));
    const mailed = lookups.ask(about('grace@example.com'));
    await vi.advanceTimersByTimeAsync(100);
    await Promise.all([looked, mailed]);
    expect(directory.claimed).toEqual(['grace@example.com']);
  });

  it('is asked about anew after a reload, and an answer from before it counts for nothing', async () => {
    const { directory, lookups } = open();
    directory.delayMs = 100;
    await timed(lookups, 'eve@example.com');
    const old = lookups.ask(about('grace@example.com'));
    lookups.forget();
    directory.has = () => true;
    await vi.advanceTimersByTimeAsync(100);
    expect(await old).toMatchObject({ kind: 'no-answer' });
    expect(directory.claimed).toEqual([]);
    expect((await timed(lookups, 'eve@example.com')).answer.kind).toBe('found');
  });

  it('is asked about once at a time after a reload too, and claimed when mail came for it', async () => {
    const { directory, lookups } = open();
    directory.has = () => true;
    directory.delayMs = 100;
    void lookups.ask(about('grace@example.com'));
    await vi.advanceTimersByTimeAsync(50);
    lookups.forget();
    const looked = lookups.ask(about('grace@example.com', true));
    await vi.advanceTimersByTimeAsync(60); // the one from before the reload has come back
    const mailed = lookups.ask(about('grace@example.com'));
    await vi.advanceTimersByTimeAsync(1000);
    expect(await Promise.all([looked, mailed])).toMatchObject([{ kind: 'found' }, { kind: 'found' }]);
    expect(directory.asked.length).toBe(2);
    expect(directory.claimed).toEqual(['grace@example.com']);
  });

  it('that waits for its turn at a reload is answered at once, and not asked about by the old rules', async () => {
    const { directory, lookups } = open({ perSecond: 1 });
    const answers = ['a', 'b'].map((name) => lookups.ask(about(`${name}@example.com`)));
    await vi.advanceTimersByTimeAsync(1);
    lookups.forget();
    expect(await Promise.all(answers.map((answer) => Promise.resolve(answer)))).toEqual([
      { kind: 'not-found', forMs: 600_000 },
      { kind: 'no-answer', forMs: 0 },
    ]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(directory.asked).toEqual(['a@example.com']);
  });

  it('with more objects than an answer holds is told by the kindest', async () => {
    const claims = Array.from({ length: 40 }, (_, i) => ({ flags: i === 39 ? 0 : 1, spelling: null }));
    const lookups = createLookups({
      log: silentLogger(),
      route: () => ({
        ...{ key: 'k', domain: 'd', perSecond: 5, timeoutMs: 1000, negativeForMs: 1000 },
        find: () => Promise.resolve({ claims, claim: () => undefined }),
      }),
    });
    const answer = await lookups.ask(about('many@example.com'));
    expect(answer.kind === 'found' && answer.claims.length).toBe(16);
    expect(answer.kind === 'found' && answer.claims[0]?.flags).toBe(0);
  });
});

it('a stop answers everybody who waits', async () => {
  const { directory, lookups } = open({ perSecond: 1 });
  directory.delayMs = 50;
  const waiting = ['a', 'b', 'c'].map((name) => lookups.ask(about(`${name}@example.com`)));
  lookups.close();
  await vi.advanceTimersByTimeAsync(50);
  expect(
    (await Promise.all(waiting.map((answer) => Promise.resolve(answer)))).map(({ kind }) => kind),
  ).toEqual(['not-found', 'limited', 'limited']);
  expect(await lookups.ask(about('d@example.com'))).toEqual({ kind: 'no-answer', forMs: 0 });
});
