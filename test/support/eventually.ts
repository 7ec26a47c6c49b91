/** Waiting for something that the outside world does in its own time: asks again until it holds, with a deadline. */
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks every `everyMs` until `holds` is true of the answer, and returns that answer. Throws with the last answer when
 * `withinMs` have passed.
 */
export async function eventually<T>(
  ask: () => T | Promise<T>,
  holds: (answer: T) => boolean,
  { withinMs = 20_000, everyMs = 50 }: { readonly withinMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
    if (Date.now() > deadline) {
      throw new Error(`not within ${withinMs / 1000} s; the last answer was ${JSON.stringify(answer)}`);
    }
    await delay(everyMs);
  }
}
