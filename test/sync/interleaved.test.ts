/** Whatever reads, claims and people do one after another: nobody who is in the directory is refused. */
import { fc } from '../support/property.js';
import { expect, test } from 'vitest';
import { RollcallError } from '../../src/errors.js';
import type { Entry } from '../../src/source/source.js';
import type { RunRecord } from '../../src/store/store.js';
import { runClaim } from '../../src/sync/claim.js';
import { createScope } from '../../src/sync/scope.js';
import { approveRun, discardRun, rollbackRun } from '../../src/sync/settle.js';
import { person } from '../support/array-source.js';
import { hour, House } from '../support/house.js';
import { LiveDirectory } from '../support/live-directory.js';

const limits = { removals: { percent: 10, floor: 2, domainPercent: 50 }, growthPercent: 40 };
const objects = 12;
const constants = 6;

type Step =
  | { readonly do: 'put' | 'disable'; readonly id: number; readonly n: readonly number[] }
  | { readonly do: 'delete' | 'claim' | 'approve' | 'discard' | 'rollback'; readonly id: number }
  | { readonly do: 'changes' | 'list' | 'full' | 'short' | 'wait' | 'fail' | 'night' };

const id = fc.integer({ min: 0, max: objects });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('put' as const, 'disable' as const),
      id,
      n: fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 3 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'delete' as const,
        'delete' as const,
        'claim' as const,
        'approve' as const,
        'discard' as const,
        'rollback' as const,
      ),
      id,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'changes' as const,
        'changes' as const,
        'list' as const,
        'full' as const,
        'short' as const,
        'wait' as const,
        'fail' as const,
        'night' as const,
      ),
    }),
  },
);

class Play {
  readonly house = new House();
  readonly directory = new LiveDirectory();
  readonly runs: RunRecord[] = [];
  readonly #accepted = new Set<string>();

  async sync(options: { list?: boolean; full?: boolean; waits?: readonly string[] } = {}): Promise<void> {
    this.house.now += 60_000;
    const run = await this.house.syncFrom(this.directory.source(), {
      limits,
      waits: options.waits ?? [],
      reading: {
        incremental: options.full !== true,
        madeFrom: 'a',
        fullSchedule: { expression: '@daily', timezone: 'UTC' },
        listEveryMs: options.list === true ? 0 : 1000 * hour,
      },
    });
    this.runs.push(run);
  }

  put(object: number, n: readonly number[], disabled: boolean): void {
    const addresses = n.map((each) => `a${each}@example.com`);
    // some people are always there, under the same id, whatever else of them changes
    const own = object < constants ? [`always${object}@example.com`] : [];
    this.directory.putEntry(
      person(`o${object}`, [...own, ...addresses], { disabled: disabled && object >= constants }),
    );
  }

  claim(object: number): void {
    const found: Entry | undefined = this.directory.entries.get(`o${object}`);
    if (found === undefined) return;
    this.runs.push(
      runClaim(this.house.deps, {
        ref: this.house.ref(),
        actor: 'live',
        entries: [found],
        scope: createScope(this.house.domains),
        maxProblems: 10,
      }),
    );
  }

  settle(what: 'approve' | 'discard' | 'rollback', back: number): void {
    const run = this.runs.at(-1 - (back % 4))?.run;
    if (run === undefined) return;
    const settle = { ref: this.house.ref(), run, actor: 'test' };
    try {
      if (what === 'approve') this.runs.push(approveRun(this.house.deps, settle));
      if (what === 'discard') discardRun(this.house.deps, settle);
      if (what === 'rollback') this.runs.push(rollbackRun(this.house.deps, settle));
    } catch (error) {
      if (!(error instanceof RollcallError) || error.code !== 'conflict') throw error;
    }
  }

  async act(one: Step): Promise<void> {
    const { directory, house } = this;
    switch (one.do) {
      case 'put':
      case 'disable':
        this.put(one.id, one.n, one.do === 'disable');
        break;
      case 'delete':
        if (one.id >= constants) directory.delete(`o${one.id}`);
        break;
      case 'claim':
        this.claim(one.id);
        break;
      case 'approve':
      case 'discard':
      case 'rollback':
        this.settle(one.do, one.id);
        break;
      case 'night':
        house.now += 24 * hour;
        break;
      case 'short':
        directory.complete = false;
        await this.sync({ full: true });
        directory.complete = true;
        break;
      case 'fail':
        directory.error = new RollcallError('source', 'down');
        await this.sync();
        directory.error = undefined;
        break;
      case 'wait':
        await this.sync({ waits: ['another is in error'] });
        break;
      default:
        await this.sync({ list: one.do === 'list', full: one.do === 'full' });
    }
  }

  /** Whoever was once accepted is not refused while the directory has had them, active, ever since. */
  check(): void {
    const active = new Set<string>();
    for (const { addresses, disabled } of this.directory.entries.values())
      if (!disabled) for (const { value } of addresses) active.add(value);
    for (const address of this.#accepted) if (!active.has(address)) this.#accepted.delete(address);
    for (const address of active) {
      const answer = this.house.answer(address);
      if (answer.startsWith('accept')) this.#accepted.add(address);
      if (this.#accepted.has(address)) expect(`${address} ${answer}`).not.toContain('reject');
    }
  }
}

test(
  'whoever was accepted and is still in the directory is never refused',
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(step, { minLength: 5, maxLength: 40 }),
        async (silent, steps) => {
          const play = new Play();
          try {
            play.directory.silentDeletions = silent;
            for (let object = 0; object < objects; object += 1) play.put(object, [object], false);
            await play.sync();
            play.check();
            for (const each of steps) {
              await play.act(each);
              play.check();
            }
            // and when all is quiet, the list is what the directory is
            play.house.now += 24 * hour;
            await play.sync({ full: true });
            const last = play.runs.at(-1);
            if (last?.resolution === 'pending') play.settle('approve', 0);
            // what had moved to a claim that was held goes with the next read
            await play.sync({ full: true });
            await play.sync({ full: true });
            for (const { addresses, disabled } of play.directory.entries.values())
              for (const { value } of addresses)
                if (!disabled) expect(play.house.answer(value)).toMatch(/^accept/);
            expect(play.runs.at(-1)).toMatchObject({ state: 'unchanged' });
          } finally {
            play.house.close();
          }
        },
      ),
      { numRuns: 12 },
    );
  },
);
