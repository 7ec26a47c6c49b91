/**
 * How long an answer of a server counts. Pure.
 *
 * A yes, as in verify(8): past `refresh` it is old and asked again, past `expire` it counts no more. A no counts until
 * `refresh` and not a moment longer: afterwards only a fresh one refuses anybody.
 */
export interface Lifetimes {
  readonly positive: { readonly refreshMs: number; readonly expireMs: number };
  readonly negative: { readonly refreshMs: number };
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

export function ageOf(entry: Entry | undefined, { positive, negative }: Lifetimes, now: number): Age {
  if (entry === undefined) return 'expired';
  const age = now - entry.at;
  const { refreshMs } = entry.known ? positive : negative;
  if (age < -clockSlackMs) return 'expired';
  if (age < refreshMs) return 'fresh';
  return entry.known && age < positive.expireMs ? 'old' : 'expired';
}
