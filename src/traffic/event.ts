/**
 * What the edges tell traffic, and how it travels to the writer: one answer (`TrafficEvent`), and everything of one
 * interval put together (`TrafficBatch`, plain rows that a worker thread can be sent).
 */

export type TrafficAction = 'accept' | 'reject' | 'defer';

export interface TrafficEvent {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Empty when no tenant's domain was asked about. */
  readonly tenant: string;
  /** The configured domain that spoke; empty when none did. Never text of a client: counts are kept by it. */
  readonly domain: string;
  readonly edge: string;
  /** In mode `observe`: the reason it would have had. */
  readonly reason: string;
  /** What was really answered. */
  readonly action: TrafficAction;
  /** Accepted only because the domain is in mode `observe`. */
  readonly observed: boolean;
  readonly code: number;
  readonly status: string;
  readonly address: string;
  /** Key of the listed address; absent when the address is not a listed one (catch-all, patterns): they are endless. */
  readonly key?: string | undefined;
  readonly sender?: string | undefined;
  readonly client?: string | undefined;
  readonly reference?: string | undefined;
}

export interface CountRow {
  readonly tenant: string;
  readonly domain: string;
  readonly reason: string;
  readonly action: TrafficAction;
  readonly edge: string;
  /** Hours since the epoch. */
  readonly hour: number;
  count: number;
}

export interface AcceptedRow {
  readonly tenant: string;
  readonly key: string;
  readonly at: number;
}

/** A reject or a defer, or what would have been one (`observed`). */
export interface RejectionRow {
  readonly reference: string;
  readonly at: number;
  readonly tenant: string;
  readonly domain: string;
  readonly edge: string;
  readonly address: string;
  readonly sender: string | null;
  readonly client: string | null;
  readonly reason: string;
  readonly code: number;
  readonly status: string;
  readonly observed: boolean;
}

export interface TrafficBatch {
  readonly counts: readonly CountRow[];
  readonly accepted: readonly AcceptedRow[];
  readonly rejections: readonly RejectionRow[];
}

export const hourMs = 3_600_000;
