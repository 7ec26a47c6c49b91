/** Cleaning up after a test file: what was begun is ended in reverse order, also when the set-up failed half-way. */
import { afterAll } from 'vitest';

/** Call it in a `describe`; hand what it returns a way to end each thing as soon as that has begun. */
export function deferred(): (end: () => void | Promise<void>) => void {
  const ends: (() => void | Promise<void>)[] = [];
  afterAll(async () => {
    const failures: unknown[] = [];
    for (const end of ends.splice(0).reverse()) {
      try {
        await end();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'could not clean up');
  });
  return (end) => ends.push(end);
}
