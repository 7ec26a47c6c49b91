import { fc } from '../support/property.js';
import { describe, expect, test } from 'vitest';
import { guard, type GuardInput } from '../../src/sync/guard.js';
import type { Plan } from '../../src/store/store.js';

const limits = { removals: { percent: 5, floor: 10, domainPercent: 50 }, growthPercent: 50 };

function decide(plan: Partial<Plan>, input: Partial<GuardInput> = {}): ReturnType<typeof guard> {
  const whole: Plan = {
    current: 1000,
    added: 0,
    changed: 0,
    denied: 0,
    removed: 0,
    moved: 0,
    hash: 'h',
    ...plan,
  };
  return guard({
    plan: whole,
    limits,
    doubts: [],
    wanted: whole.current + whole.added,
    domains: [],
    waits: [],
    removedSince: 0,
    ...input,
  });
}

describe('the guard', () => {
  test.each([
    ['nothing to do', {}, []],
    ['removals at the percentage', { removed: 50 }, []],
    ['removals over the percentage', { removed: 51 }, ['removals']],
    ['removals at the floor of a small list', { current: 20, removed: 10 }, []],
    ['removals over the floor of a small list', { current: 20, removed: 11 }, ['removals']],
    ['a small list that would vanish whole', { current: 5, removed: 5, added: 5 }, ['removals']],
    ['a list of one that is replaced', { current: 1, removed: 1, added: 1 }, []],
    ['mass disabling over the limit', { denied: 51 }, ['removals']],
    ['removals and disabling that are over it together', { removed: 26, denied: 25 }, ['removals']],
    ['growth at the limit', { added: 500 }, []],
    ['growth over the limit', { added: 501 }, ['additions']],
    ['a first list', { current: 0, added: 100_000 }, []],
    ['both', { removed: 900, added: 900 }, ['removals', 'additions']],
    ['changes and moves without number', { changed: 1000, moved: 1000 }, []],
  ] as const)('%s', (_, plan, hold) => {
    expect(decide(plan)).toMatchObject({ go: true, hold, approvable: true });
  });

  test('holds removals when a domain that had addresses has none', () => {
    expect(
      decide(
        { removed: 2 },
        { domains: [{ domain: 'small.example', before: 2, since: 0, lost: 2, left: 0 }] },
      ),
    ).toMatchObject({
      go: true,
      hold: ['removals'],
      approvable: true,
      reasons: ['no address in small.example is left of 2'],
    });
  });

  test('refuses a read that gave no address', () => {
    expect(decide({ removed: 1000 }, { wanted: 0 })).toMatchObject({
      go: false,
      reasons: [
        'the source gave no usable address in a domain of this tenant; the 1000 claims in force stay',
      ],
    });
    expect(decide({ current: 0 }, { wanted: 0 })).toMatchObject({ go: false });
  });

  test('never lets a removal through on a doubt, nor up for approval', () => {
    expect(decide({ removed: 1 }, { doubts: ['page 3 was refused'] })).toEqual({
      go: true,
      hold: ['removals'],
      approvable: false,
      reasons: ['page 3 was refused', '1 removals left out: the read was not complete'],
    });
  });

  test('whatever the numbers: what is over a limit is held, with a reason', () => {
    const n = fc.integer({ min: 0, max: 100_000 });
    fc.assert(
      fc.property(n, n, n, fc.boolean(), (current, added, removals, doubt) => {
        const removed = Math.min(removals, current);
        const decision = decide(
          { current, added, removed },
          { doubts: doubt ? ['x'] : [], wanted: current - removed + added },
        );
        if (!decision.go) return;
        const kept = decision.hold.includes('removals') ? current : current - removed;
        expect(kept).toBeGreaterThanOrEqual(Math.min(current - 10, Math.floor(current * 0.95)));
        expect(decision.hold.length > 0).toBe(decision.reasons.length > 0);
        if (doubt) expect(decision.hold).toContain('removals');
      }),
    );
  });
});
