/** What an export is asked for, works with, and answers. */
import type { DomainTable } from '../policy/domain-table.js';
import type { FormatName } from './formats.js';
import type { HookOptions, HookResult } from './hook.js';
import type { Rights } from './rights.js';
import type { DomainCount } from './row.js';

export interface ExportOptions extends Rights {
  readonly name: string;
  readonly format: FormatName;
  readonly path: string;
  readonly tenant: string;
  /** A-labels; undefined: every domain of the tenant. */
  readonly domains?: readonly string[] | undefined;
  readonly maxShrinkPercent: number;
  readonly hook?: HookOptions | undefined;
}

export interface ExportDeps {
  readonly lookupFile: string;
  readonly stateDir: string;
  readonly table: DomainTable;
  readonly now: number;
  readonly signal: AbortSignal;
  readonly dryRun?: boolean;
  /** A person's word against the guard. Never against doubts about the lists. */
  readonly force?: boolean;
}

export type ExportState =
  /** A new file is in place; with `dryRun`, `planned`. */
  | 'written'
  | 'planned'
  | 'unchanged'
  /** The lists do not allow it now; the file stays as it was. */
  | 'deferred'
  /** A person has to decide; the file stays as it was. */
  | 'refused'
  | 'failed';

/** The outside contract of `rollcall export --json`: keys are added, never renamed. */
export interface ExportReport {
  readonly name: string;
  readonly state: ExportState;
  readonly format: FormatName;
  readonly path: string;
  /** Of the list; null when it could not be read. */
  readonly generation: number | null;
  readonly domains: readonly DomainCount[];
  /** Why it was not written. */
  readonly reasons: readonly string[];
  readonly hint: string;
  /** What the file cannot say, and says more kindly. */
  readonly warnings: readonly string[];
  /** Another process is at it: worth trying again in seconds. */
  readonly busy?: true;
  /** Null when no hook was to run. */
  readonly hook: HookResult | null;
}

/** Whether the mail server has what it should have. */
export function isWell({ state, hook }: ExportReport): boolean {
  return (state === 'written' || state === 'unchanged' || state === 'planned') && hook?.ok !== false;
}
