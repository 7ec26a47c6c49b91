/**
 * How a directory tells what has changed: one reader for each way (DirSync, uSNChanged, entryCSN), picked by
 * change-reader.ts from the preset and what the server says of itself.
 *
 * A reader only finds out which objects were touched; what they are now it reads whole, by the same filter, mapper and
 * range fetch as a full read, so that a partial answer never becomes an entry. It refuses to guess: an object that is only
 * not to be seen, and every complaint of the server about the cursor, is a doubt in its report.
 */
import type { SearchEntry } from 'ldapts';
import type { Change, ChangesReport, Cursor, Entry, Problem } from '../source.js';
import type { LdapSourceOptions } from './options.js';
import type { AttributePlan } from './preset.js';
import type { ServerFacts } from './server-facts.js';
import type { Session } from './session.js';

/** One bound session with what a read knows; made by ldap-source.ts. */
export interface Reading {
  readonly session: Session;
  readonly options: LdapSourceOptions;
  /** The configured filter or the preset's, checked. */
  readonly filter: string;
  readonly plan: AttributePlan;
  readonly facts: ServerFacts;
  readonly signal: AbortSignal;
  /** The run asks for a listing of all ids. */
  readonly listing: boolean;
  /** Server and identity, for descriptions. */
  readonly who: string;
  readonly problem: (problem: Problem) => void;
  readonly progress: (done: number, total?: number) => void;
  /**
   * A search below one base to its last page, by default for all that a full read asks for. Throws on any result but
   * success; what keeps its end from being proved (no paging, references not followed) is added to `doubts`.
   */
  pages(
    baseDn: string,
    filter: string,
    attributes?: readonly string[],
  ): AsyncGenerator<readonly SearchEntry[], void, void>;
  /** The id of an entry as `toEntries` gives it; undefined when it cannot be read, which is kept as a doubt. */
  idOf(found: SearchEntry): string | undefined;
  /** What was doubtful in all searches by `pages` so far. */
  doubts(): readonly string[];
  /**
   * Entries as a full read makes them, from whole objects that the filter has matched: values fetched to the end, problems
   * told. `doubts` says what could not be read of them; entries that a full read would leave out are left out.
   */
  toEntries(found: readonly SearchEntry[]): Promise<{ entries: readonly Entry[]; doubts: readonly string[] }>;
}

export interface ChangeReader {
  /** Why this server may not hold all that a whole read needs; asked before each one, also where no changes are told. */
  lacks?(reading: Reading): Promise<readonly string[]>;
  /** The cursor for a whole read that begins now; undefined where this server cannot tell changes. */
  begin(reading: Reading): Promise<Cursor | undefined>;
  /** Whether deletions are among the changes after this cursor, as far as can be seen; absent: never, they are found by listing. */
  seesDeletions?(reading: Reading, cursor: Cursor): Promise<boolean>;
  /** What has changed since; throws only what ends a full read as well (the connection, the server's limits). */
  changes(reading: Reading, cursor: Cursor): AsyncGenerator<readonly Change[], ChangesReport, void>;
}
