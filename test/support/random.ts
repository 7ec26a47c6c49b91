/**
 * Chance in the tests, and its seed: the same cases in each run of `npm test`, so that a failure is the fault of the change.
 *
 * To go looking for others: `ROLLCALL_SEED=random npx vitest run …`, or a number; a failed property names the seed it had.
 */
import { randomInt } from 'node:crypto';

const asked = process.env['ROLLCALL_SEED'] ?? '1';

export const seed = asked === 'random' ? randomInt(2 ** 31) : Number(asked);
if (!Number.isInteger(seed)) throw new Error(`ROLLCALL_SEED is '${asked}': give a whole number, or 'random'`);

/** Whole numbers from 0 to `below` - 1 out of a seed (mulberry32, public domain): the same seed, the same numbers. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
