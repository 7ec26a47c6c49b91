/** The two ways of writing an export: as text, and as an SQLite file. What both promise the story in export.ts. */
import type { DomainPolicy } from '../policy/domain-table.js';
import type { InPlace } from './guard.js';
import type { ExportRow } from './row.js';
import type { Stamp } from './stamp.js';

export interface WriteOptions {
  /** The file to write: a temporary name. Its permissions are set by the caller. */
  readonly temporary: string;
  /** The file that it will become. */
  readonly path: string;
  readonly head: Omit<Stamp, 'sha256' | 'domains'>;
  readonly domains: readonly DomainPolicy[];
  readonly rows: Iterable<ExportRow>;
  /** Listed addresses of a domain (A-label); asked once the rows are through. */
  readonly countOf: (domain: string) => number;
}

export interface Written {
  readonly stamp: Stamp;
  /** Addresses that the format has no way to write: how many, and the first few. */
  readonly leftOut: number;
  readonly leftOutExamples: readonly string[];
}

export interface Writer {
  /** Whole and on disk when it returns. Throws what the file system throws. */
  write(options: WriteOptions): Written;
  /** What stands there now. */
  read(path: string): (Stamp & InPlace) | 'foreign' | 'missing';
  /**
   * Whether two whole files differ in nothing but generation and time, by reading both through: what a file says of itself
   * is not believed. A file that cannot be read through is not the same.
   */
  isSame(path: string, temporary: string): boolean;
  /** Whether it can say of an address that it was removed lately. */
  readonly saysOnlyExists: boolean;
}

export const mostExamples = 5;
