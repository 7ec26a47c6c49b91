/** What a run is given: by whom, of which source, within which limits. */
import type { Source } from '../source/source.js';
import type { Db } from '../store/sqlite/open.js';
import type { RunKind, SourceRef } from '../store/store.js';
import type { GuardLimits } from './guard.js';
import type { Schedule } from './schedule-slots.js';
import type { Scope } from './scope.js';

export type Phase = 'reading' | 'comparing' | 'applying' | 'publishing';
export type Progress = (phase: Phase, done: number, total?: number) => void;

/** What every run needs, whatever it does. */
export interface RunDeps {
  readonly db: Db;
  readonly now: () => number;
  /** Brings the edges' snapshot up to the store; called after every run that ended well. */
  readonly publish: () => void;
  readonly leaseMs: number;
  readonly progress?: Progress;
}

export interface SyncRequest {
  readonly ref: SourceRef;
  readonly kind: Extract<RunKind, 'sync' | 'upload'>;
  readonly actor: string;
  readonly source: Source;
  readonly scope: Scope;
  readonly limits: GuardLimits;
  /** Addresses that a complete read must contain. */
  readonly canaries: readonly string[];
  readonly dryRun: boolean;
  readonly maxProblems: number;
  readonly signal: AbortSignal;
  /** Why removals have to wait: other sources of the same domains are in error. */
  readonly waits: readonly string[];
  /** How it may be read; default: everything. */
  readonly reading?: Reading | undefined;
}

/** When a source is read by its changes, and when whole. */
export interface Reading {
  /** False: everything is read, whatever could be told of changes. */
  readonly incremental: boolean;
  /** A text that is another when the list would be another: what the source reads, and the scope. */
  readonly madeFrom: string;
  /** The first run after one of its times reads everything. */
  readonly fullSchedule?: Schedule | undefined;
  /** How often the ids of all objects are asked for, where deletions cannot be told. Milliseconds. */
  readonly listEveryMs: number;
}
