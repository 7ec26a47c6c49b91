/**
 * How long an answer of a server counts: the lifetimes of verify(8). Pure.
 *
 * Past `refresh` an answer is old: it is asked again. Past `expire` it counts no more.
 */
export interface Lifetime {
  readonly refreshMs: number;
  readonly expireMs: number;
}

export interface Lifetimes {
  readonly positive: Lifetime;
  readonly negative: Lifetime;
}

export type Age = 'fresh' | 'old' | 'expired';

/** What the cache keeps of one recipient. */
export interface Entry {
  readonly known: boolean;
  /** When the server said so, in ms. */
  readonly at: number;
  /** For an unknown one that had been known: since when it is not. */
  readonly knownUntil?: number | undefined;
}

/** An answer "from the future" means that a clock was wrong: its age is not known. */
const clockSlackMs = 10 * 60_000;

export function ageOf(entry: Entry | undefined, lifetimes: Lifetimes, now: number): Age {
  if (entry === undefined) return 'expired';
  const { refreshMs, expireMs } = entry.known ? lifetimes.positive : lifetimes.negative;
  const age = now - entry.at;
  if (age < -clockSlackMs || age >= expireMs) return 'expired';
  return age >= refreshMs ? 'old' : 'fresh';
}
