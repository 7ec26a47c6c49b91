/**
 * What a source is: something that lists the entries of a directory, in batches, and says at the end whether the list
 * was complete.
 *
 * A source promises: every entry it yields was really there; `complete: true` is returned only when it has proved that
 * nothing is missing. A source refuses to guess: whatever it cannot prove ends in `complete: false` with reasons (the run
 * may add, never remove), and whatever makes the answer worthless is thrown as a RollcallError with code `source` (or
 * `input` for an uploaded file).
 */
import type { ProbeReport } from './probe.js';

export const entryKinds = ['user', 'group', 'contact', 'mailbox', 'other'] as const;
export type EntryKind = (typeof entryKinds)[number];

/** One address of an entry, as the source spells it (`SMTP:` prefixes and the like already taken off). */
export interface EntryAddress {
  readonly value: string;
  /** The attribute or column that holds it: `mail`, `proxyAddresses`, `alias`. */
  readonly attribute: string;
}

export interface Entry {
  /** Stable object id: entryUUID, objectGUID, or the primary address of a CSV row. */
  readonly id: string;
  readonly kind: EntryKind;
  /** The account is disabled, and the source is set to respect it. */
  readonly disabled: boolean;
  /** Takes mail from senders of our own domains only. */
  readonly internalOnly: boolean;
  readonly addresses: readonly EntryAddress[];
  /** True when some value of it could not be used: what it had before is then not taken for gone. */
  readonly doubtful?: boolean;
  /** Where it stands in the source: `line 12`, or a DN. For messages only. */
  readonly where: string;
}

/** Something in the source that could not be used: `where` it stands (`line 12`, a DN), and why. */
export interface Problem {
  readonly where: string;
  readonly reason: string;
}

export interface ReadContext {
  /** Aborted when the run is to stop; `read` then throws. */
  readonly signal: AbortSignal;
  /** Reports something skipped. Reports nothing twice. */
  readonly problem: (problem: Problem) => void;
  /** Tells how many entries were read so far, and of how many if that is known. For progress bars. */
  readonly progress: (done: number, total?: number) => void;
  /**
   * Asks `changes` to list every object as well, where the source cannot see deletions in any other way. A source that can,
   * or that cannot list, goes without.
   */
  readonly listing?: boolean;
}

/**
 * Where the changes begin that a source has not told yet. Text that only the source which made it can read; holds no secret.
 * Kept in the same transaction as the changes it covers.
 */
export type Cursor = string;

export interface ReadReport {
  /** True only when the source has proved that every entry was seen. */
  readonly complete: boolean;
  /** Why it is not complete; empty when it is. */
  readonly reasons: readonly string[];
  /** What was read, in one line for a person: server, identity, columns used. */
  readonly description: string;
  /** Worth knowing, but no doubt: what the list is not able to cover. */
  readonly notes?: readonly string[];
  /** Taken before the read began, so that a change during it is told (again) afterwards. Only from sources with `changes`. */
  readonly cursor?: Cursor | undefined;
  /**
   * How many objects the directory itself says it holds, whoever asks: a number that does not fall when only our right to
   * read them was lost. Absent where it does not say.
   */
  readonly ownCount?: number | undefined;
}

/** What has become of one object since a cursor. */
export type Change =
  /** As it is now, whole: every address it has. */
  | { readonly kind: 'entry'; readonly entry: Entry }
  /**
   * Proved to be none of this list any more: its deletion was seen, or it was seen and no longer matches. An object that is
   * only not to be seen is not told as gone, but as a doubt.
   */
  | { readonly kind: 'gone'; readonly id: string; readonly where: string }
  /**
   * Objects that exist and match now, asked for by `listing`: they come after all entries. What was never listed is gone once
   * the report says `listed`. An object listed may still have no usable address, and so no claim.
   */
  | { readonly kind: 'listing'; readonly ids: readonly string[] };

export interface ChangesReport {
  /**
   * Why these changes cannot be relied on: the cursor has expired, the server is another one, an object is not to be seen any
   * more, there are too many. Then everything is read instead. Empty: they can be relied on.
   */
  readonly doubts: readonly string[];
  /** Where the next changes begin. */
  readonly cursor: Cursor;
  /** Nothing can have been missed since the cursor, deletions included: the list is as fresh as after a whole read. */
  readonly proof: boolean;
  /** Every object that exists was in a `listing`: those that were not are gone. False or absent: the listing proves nothing. */
  readonly listed?: boolean;
  /** What was read, in one line for a person. */
  readonly description: string;
}

export interface FindContext {
  /** Aborted at the deadline of the question; `find` then throws. */
  readonly signal: AbortSignal;
}

export interface Source {
  /** Yields batches of at most a few thousand entries, then returns the report. */
  read(context: ReadContext): AsyncGenerator<readonly Entry[], ReadReport, void>;
  /**
   * Yields what has changed since the cursor, in any order; an object may come more than once, its last state counts. Throws
   * what `read` throws; a doubt about the cursor is no error but a report. Absent: the source is always read whole.
   */
  changes?(context: ReadContext, cursor: Cursor): AsyncGenerator<readonly Change[], ChangesReport, void>;
  /**
   * The entries that hold this address at this moment: few, mostly none. `address` is a mailbox in its internal form, spelled
   * as it was asked. Never answers "none" on a doubt: then it throws.
   */
  find?(address: string, context: FindContext): Promise<readonly Entry[]>;
  /**
   * Tries the source out for a person: who we are there, what it is, a sample, what would go wrong. Changes nothing. Throws
   * what `read` throws at the beginning: not reached, refused.
   */
  probe?(context: FindContext): Promise<ProbeReport>;
  /** Connections that `find` has kept open are closed. */
  close?(): Promise<void>;
}
