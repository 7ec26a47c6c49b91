/**
 * What is asked of a source about one address, and what comes back.
 *
 * Only `found` and `not-found` are the directory's own words. The other two say that it was not asked, or did not answer: they
 * make nobody known and nobody unknown.
 */

export interface LiveQuestion {
  /** Name of the source. */
  readonly source: string;
  /** A mailbox in its internal form (no quotes, split at the last `@`), spelled as it was asked. */
  readonly address: string;
  /** Only to look, for a person: what is found is not claimed. */
  readonly look: boolean;
}

/** One object that holds the address: as a claim of the list, but for its name. */
export interface LiveClaim {
  /** `claimFlags` of the store: disabled 1, internal-only 2. */
  readonly flags: number;
  /** Spellings that differ from the key in the case of the local part; null when there are none. */
  readonly spelling: string | null;
}

export type LiveAnswer =
  /** At least one claim. */
  | { readonly kind: 'found'; readonly claims: readonly LiveClaim[] }
  /** The directory does not have it; good for `forMs`. */
  | { readonly kind: 'not-found'; readonly forMs: number }
  /** Not asked, because more is asked than may be; for `forMs` it is no use to try again. */
  | { readonly kind: 'limited'; readonly forMs: number }
  /** Nobody to ask, or no answer in time; for `forMs` it is no use to try again. */
  | { readonly kind: 'no-answer'; readonly forMs: number };

export const noAnswer: LiveAnswer = { kind: 'no-answer', forMs: 0 };

/** At once, or a promise that never rejects and settles within the question's deadline. */
export type AskLive = (question: LiveQuestion) => LiveAnswer | Promise<LiveAnswer>;
