/**
 * The words of the store: what runs, plans and claims look like to every room above it.
 *
 * Shapes only. The SQLite store is in sqlite/; whatever takes its place keeps these shapes. Times are milliseconds since
 * the epoch (UTC); keys are those of address/key.ts.
 */

export const runStates = [
  'running',
  'unchanged',
  'applied',
  'partly-held',
  'held',
  'refused',
  'failed',
  'planned',
  'interrupted',
] as const;
export type RunState = (typeof runStates)[number];

/** `preview`: a sync or an upload that only shows what it would do; how it ends says nothing about the list. */
export type RunKind = 'sync' | 'upload' | 'preview' | 'claim' | 'approve' | 'discard' | 'rollback';
/** How a run read its source: everything, only what changed since the last, or single entries that were asked for. */
export type RunMode = 'full' | 'changes' | 'claim';
export type Resolution = 'pending' | 'approved' | 'discarded' | 'superseded';

/** `read`: entries; `skipped`: entries or addresses that could not be used; the others: claims, moved ones as changed. */
export interface Counts {
  readonly read: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly held: number;
  readonly skipped: number;
}

export const noCounts: Counts = { read: 0, added: 0, changed: 0, removed: 0, held: 0, skipped: 0 };

export interface RunRecord {
  readonly run: number;
  readonly tenant: string;
  readonly source: string;
  readonly kind: RunKind;
  readonly mode: RunMode;
  readonly parent: number | null;
  readonly actor: string;
  readonly state: RunState;
  readonly resolution: Resolution | null;
  readonly complete: boolean;
  readonly planHash: string | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly generation: number | null;
  readonly counts: Counts;
  /** Why it ended as it did: what was held, refused, or missing from the proof. */
  readonly reasons: readonly string[];
  /** Worth knowing, but nothing that held the run up. */
  readonly notes: readonly string[];
  /** What was read, in one line. */
  readonly description: string;
}

/** The source and tenant ids that keys are made of. */
export interface SourceRef {
  readonly tenantId: number;
  readonly sourceId: number;
  readonly tenant: string;
  readonly name: string;
}

/** A run that holds its source's lease. */
export interface RunHandle {
  readonly run: number;
  readonly ref: SourceRef;
  readonly kind: RunKind;
  readonly startedAt: number;
}

/** One claim as the sync stages it. */
export interface StagedClaim {
  readonly key: string;
  readonly object: string;
  readonly attribute: string;
  readonly kind: string;
  readonly flags: number;
  readonly spelling: string | null;
}

/** Between the spellings of one claim; never part of an address. */
export const spellingSeparator = '\x1f';

export const claimFlags = { disabled: 1, internalOnly: 2 } as const;

/** What a run would change. Printing it changes nothing. */
export interface Plan {
  /** Claims in force before the run. */
  readonly current: number;
  readonly added: number;
  /** Claims that change without taking anything away. */
  readonly changed: number;
  /** Claims that change so that mail is refused: newly disabled or internal-only. */
  readonly denied: number;
  /** Claims that go and take the source's last word for their address with them. */
  readonly removed: number;
  /** Claims that go while another object of the source still claims the same address. */
  readonly moved: number;
  /** SHA-256 over the whole plan in order, first 16 hex digits. */
  readonly hash: string;
}

export type PlanPart = 'additions' | 'removals';

/** What the guard lets through. Only a plan with a decision can be applied. */
export interface Decision {
  /** False: nothing at all is applied; the run is `refused`. */
  readonly go: boolean;
  readonly hold: readonly PlanPart[];
  /** Held parts wait for approval; false when they rest on an incomplete read and are only left out. */
  readonly approvable: boolean;
  readonly reasons: readonly string[];
}

export interface ChangeRecord {
  readonly run: number;
  readonly op: '+' | '~' | '-';
  readonly key: string;
  readonly object: string;
  readonly attribute: string;
  readonly kind: string;
  readonly flags: number;
  readonly at: number;
  readonly source: string;
}

export interface ClaimRecord {
  readonly source: string;
  readonly key: string;
  readonly object: string;
  readonly attribute: string;
  readonly kind: string;
  readonly disabled: boolean;
  readonly internalOnly: boolean;
  readonly spelling: string | null;
  readonly sinceRun: number;
}

export interface ProblemRecord {
  readonly where: string;
  readonly reason: string;
}

export const tokenRoles = ['admin', 'upload', 'read'] as const;
export type TokenRole = (typeof tokenRoles)[number];

export interface TokenRecord {
  readonly tenant: string;
  readonly name: string;
  readonly role: TokenRole;
  readonly createdAt: number;
}
