/**
 * What a source is: something that lists the entries of a directory, in batches, and says at the end whether the list
 * was complete.
 *
 * A source promises: every entry it yields was really there; `complete: true` is returned only when it has proved that
 * nothing is missing. A source refuses to guess: whatever it cannot prove ends in `complete: false` with reasons (the run
 * may add, never remove), and whatever makes the answer worthless is thrown as a RollcallError with code `source` (or
 * `input` for an uploaded file).
 */

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
}

export interface ReadReport {
  /** True only when the source has proved that every entry was seen. */
  readonly complete: boolean;
  /** Why it is not complete; empty when it is. */
  readonly reasons: readonly string[];
  /** What was read, in one line for a person: server, identity, columns used. */
  readonly description: string;
}

export interface Source {
  /** Yields batches of at most a few thousand entries, then returns the report. */
  read(context: ReadContext): AsyncGenerator<readonly Entry[], ReadReport, void>;
}
