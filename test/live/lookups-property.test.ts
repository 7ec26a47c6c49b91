/**
 * Whatever comes in whatever order (questions, time, reloads, a directory that answers, fails, hangs, asks to be left alone):
 * every question is answered by its deadline, the directory is asked about an address once at a time and a domain no more than its
 * rate, and only the directory's own words make anybody found or not found. The clock is the test's.
 */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Found } from '../../src/live/guarded-source.js';
import { createLookups, type Lookups } from '../../src/live/lookups.js';
import { PassingFailure } from '../../src/source/passing-failure.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { fc } from '../support/property.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const timeoutMs = 2000;
type Mood = 'answers' | 'fails' | 'hangs' | 'is busy';
const moods = fc.constantFrom<Mood>('answers', 'fails', 'hangs', 'is busy');
const upTo = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max });
const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ who: upTo(12), domain: upTo(3), look: fc.boolean(), times: upTo(8) }),
  },
  { weight: 8, arbitrary: fc.record({ waitMs: upTo(1500) }) },
  { weight: 3, arbitrary: fc.record({ mood: moods, delayMs: upTo(2500) }) },
  { weight: 4, arbitrary: fc.constant('reload' as const) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const isThere = (address: string): boolean => /^p[01]@/.test(address);

class House {
  mood: Mood = 'answers';
  delayMs = 0;
  waiting = 0;
  readonly searches: { readonly domain: string; readonly at: number }[] = [];
  readonly wrong: string[] = [];
  readonly #open = new Set<string>();
  #reloads = 0;
  readonly lookups: Lookups;

  constructor(readonly perSecond: number) {
    this.lookups = createLookups({
      log: silentLogger(),
      now: Date.now,
      route: ({ address }) => ({
        ...{ key: address, domain: domainOf(address), perSecond, timeoutMs, negativeForMs: 3000 },
        find: (signal) => this.#find(address, signal),
      }),
    });
  }

  async #find(address: string, signal: AbortSignal): Promise<Found> {
    const id = `${this.#reloads} ${address}`;
    this.searches.push({ domain: domainOf(address), at: Date.now() });
    if (this.#open.has(id)) this.wrong.push(`${address} is asked about twice at a time`);
    this.#open.add(id);
    try {
      await this.#answer(signal);
    } finally {
      this.#open.delete(id);
    }
    const claims = isThere(address) ? [{ flags: 0, spelling: null }] : [];
    return { claims, claim: () => undefined };
  }

  #answer(signal: AbortSignal): Promise<void> {
    const { mood, delayMs } = this;
    if (mood === 'fails') return Promise.reject(new Error('down'));
    if (mood === 'is busy') return Promise.reject(new PassingFailure('busy', { retryAfterMs: delayMs }));
    return new Promise((resolve, reject) => {
      if (mood === 'answers') setTimeout(resolve, delayMs);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  }

  async take(one: Step): Promise<void> {
    if (one === 'reload') {
      this.#reloads += 1;
      this.lookups.forget();
    } else if ('waitMs' in one) await vi.advanceTimersByTimeAsync(one.waitMs);
    else if ('mood' in one) Object.assign(this, one);
    else
      for (let i = 0; i < one.times; i += 1)
        void this.#ask(`p${one.who + i}@d${one.domain}.example`, one.look);
  }

  async #ask(address: string, look: boolean): Promise<void> {
    const began = Date.now();
    this.waiting += 1;
    const { kind } = await this.lookups.ask({ source: 'staff', address, look });
    this.waiting -= 1;
    if (Date.now() - began > timeoutMs) this.wrong.push(`${address} is answered too late`);
    if (kind === (isThere(address) ? 'not-found' : 'found')) this.wrong.push(`${address} is ${kind}`);
  }

  /** In no stretch of time more than the burst and what comes in by the second. */
  checkRate(): void {
    for (const domain of new Set(this.searches.map((each) => each.domain))) {
      const at = this.searches.filter((each) => each.domain === domain).map((each) => each.at);
      for (const [first, from] of at.entries())
        for (const [more, to] of at.slice(first).entries())
          if (more + 1 > this.perSecond * (1 + (to - from) / 1000) + 0.001)
            this.wrong.push(`${domain}: ${more + 1} searches in ${to - from} ms`);
    }
  }
}

it('holds what look-ups promise', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 60 }),
      fc.integer({ min: 1, max: 10 }),
      async (steps, perSecond) => {
        const house = new House(perSecond);
        for (const one of steps) await house.take(one);
        await vi.advanceTimersByTimeAsync(timeoutMs);
        house.checkRate();
        expect({ waiting: house.waiting, wrong: house.wrong }).toEqual({ waiting: 0, wrong: [] });
      },
    ),
    { numRuns: 500 },
  );
});

function domainOf(address: string): string {
  return address.slice(address.indexOf('@') + 1);
}
