/** Claiming what was found: in batches, one run at a time, again while the source is taken. The clock is the test's. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLiveClaims, type LiveClaims } from '../../src/compose/live-claims.js';
import { RollcallError } from '../../src/errors.js';
import type { Entry } from '../../src/source/source.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { person } from '../support/array-source.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function open(run: (ids: readonly string[]) => void | Promise<void> = () => undefined): {
  claims: LiveClaims;
  runs: string[];
} {
  const runs: string[] = [];
  const claims = createLiveClaims({
    log: silentLogger(),
    run: async (source, entries) => {
      const ids = entries.map(({ id }) => id);
      runs.push(`${source}: ${ids.length > 5 ? ids.length : ids.join(' ')}`);
      await run(ids);
    },
  });
  return { claims, runs };
}

function someone(id: string, ...addresses: string[]): Entry {
  return person(id, addresses);
}

const conflict = new RollcallError('conflict', 'another run of staff is in progress');

it('what comes within a second is one run of its source', async () => {
  const { claims, runs } = open();
  claims.add('staff', [someone('ada')]);
  await vi.advanceTimersByTimeAsync(500);
  claims.add('staff', [someone('bob'), someone('ada', 'newest@example.com')]);
  claims.add('branch', [someone('eve')]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(runs).toEqual(['staff: ada bob', 'branch: eve']);
});

it('one run at a time; what comes meanwhile is the next', async () => {
  let end: () => void = () => undefined;
  const { claims, runs } = open(() => new Promise((resolve) => (end = resolve)));
  claims.add('staff', [someone('ada')]);
  await vi.advanceTimersByTimeAsync(1000);
  claims.add('staff', [someone('bob')]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(runs).toEqual(['staff: ada']);
  end();
  await vi.advanceTimersByTimeAsync(1000);
  expect(runs).toEqual(['staff: ada', 'staff: bob']);
});

it('tries again while a sync has the source, with what came meanwhile, and not for ever', async () => {
  let taken = true;
  const { claims, runs } = open(() => {
    if (taken) throw conflict;
  });
  claims.add('staff', [someone('ada')]);
  await vi.advanceTimersByTimeAsync(5000);
  claims.add('staff', [someone('bob')]);
  taken = false;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(runs).toEqual(['staff: ada', 'staff: ada bob']);
  taken = true;
  claims.add('staff', [someone('eve')]);
  await vi.advanceTimersByTimeAsync(24 * 3_600_000);
  expect(runs.length).toBe(2 + 60);
});

it('what cannot be claimed is dropped, and does not stand in the way of others', async () => {
  let broken = true;
  const { claims, runs } = open(() => {
    if (broken) throw new RollcallError('store', 'the disk is full');
  });
  claims.add('staff', [someone('ada')]);
  await vi.advanceTimersByTimeAsync(1000);
  broken = false;
  claims.add('staff', [someone('bob')]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(runs).toEqual(['staff: ada', 'staff: bob']);
});

it('a flood is bounded', async () => {
  const { claims, runs } = open();
  for (let i = 0; i < 10_000; i += 1) claims.add('staff', [someone(`id-${i}`)]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(runs).toEqual(['staff: 500']);
});

it('after a reload or a stop nothing of before is claimed', async () => {
  const { claims, runs } = open();
  claims.add('staff', [someone('ada')]);
  claims.forget();
  await vi.advanceTimersByTimeAsync(60_000);
  claims.add('staff', [someone('bob')]);
  claims.close();
  claims.add('staff', [someone('eve')]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(runs).toEqual([]);
});
