/** The real clock. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from './options.js';

export const realClock: Clock = {
  now: Date.now,
  random: Math.random,
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  },
};
