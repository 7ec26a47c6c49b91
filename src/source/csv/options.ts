/**
 * What a CSV source is told. Plain values: the composition root makes them from the configuration.
 */
import type { Readable } from 'node:stream';

export interface CsvColumns {
  /** Columns of the primary address, the first that holds one speaks. */
  readonly address?: readonly string[] | undefined;
  /** Columns of further addresses. */
  readonly aliases?: readonly string[] | undefined;
  /** Column of a stable id; default: the primary address. */
  readonly id?: string | undefined;
  readonly kind?: string | undefined;
  /** Column that says whether the account is disabled (or, when it is named accountEnabled, that it is not). */
  readonly disabled?: string | undefined;
}

/** What may be missing from a list as a whole; `groups` stands for all that are no users: contacts, public folders. */
export type Part = 'aliases' | 'groups' | 'users';

export type CsvEncoding = 'auto' | 'utf-8' | 'utf-16le' | 'windows-1252';

export interface CsvSourceOptions {
  readonly name: string;
  /** Opens the list; called once for every read. */
  readonly open: () => Readable | Promise<Readable>;
  /** What the list is called in messages: its path, or the name of the upload. */
  readonly label: string;
  readonly columns?: CsvColumns | undefined;
  /** Between cells; default: recognised from the first lines. */
  readonly delimiter?: string | undefined;
  /** Between several addresses in one cell; default: any of `; , |` and white space. */
  readonly separator?: string | undefined;
  /** A byte order mark speaks louder; `auto`: found. */
  readonly encoding: CsvEncoding;
  /** Whether the first line names the columns. */
  readonly header: 'auto' | boolean;
  readonly respectDisabled: boolean;
  /**
   * What lines with a whole domain or a pattern say of the list, which are never claimed: `doubt`, that it is not complete,
   * as its author wants more accepted than it names; `ignore`, nothing. Default: `doubt`.
   */
  readonly wildcards?: 'doubt' | 'ignore' | undefined;
  /** What the list may lack, because another source has it, or because there is none. */
  readonly mayLack?: readonly Part[] | undefined;
  /**
   * With more rows than this without a usable address the list does not count as complete; with more than half of them (or
   * this, if it is higher) it is refused whole.
   */
  readonly maxBadPercent: number;
}
