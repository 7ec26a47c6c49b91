/**
 * What the HTTP server is told: plain values and functions. The composition root makes them from the configuration.
 */
import type { LookupView } from '../lookup/reader.js';
import type { DomainTable } from '../policy/domain-table.js';
import type { Confirm, Decide } from '../policy/verdict.js';
import type { RunRecord } from '../store/store.js';
import type { Logger } from '../telemetry/log.js';

export type HttpAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** What a request asks to be done; the same shape as the jobs of compose/, always with the tenant of the token. */
export type HttpJob = { readonly actor: string } & (
  | { readonly kind: 'sync'; readonly source: string; readonly dryRun: boolean }
  | {
      readonly kind: 'upload';
      readonly source: string;
      readonly dryRun: boolean;
      /** The spooled file, which is deleted when the job has ended, and its name for people. */
      readonly upload: { readonly path: string; readonly label: string };
    }
  | { readonly kind: 'approve'; readonly run: number; readonly hash: string; readonly tenant: string }
  | { readonly kind: 'discard' | 'rollback'; readonly run: number; readonly tenant: string }
);

export interface Jobs {
  /** Does one job and returns the record of its run. Throws RollcallErrors: `not-found`, `conflict`, `usage`, `store`. */
  run(job: HttpJob): Promise<RunRecord>;
}

export interface HttpSource {
  readonly name: string;
  readonly tenant: string;
  readonly kind: string;
}

/** Whether one domain can give verdicts out of a fresh list. */
export interface DomainReadiness {
  readonly domain: string;
  readonly tenant: string;
  readonly ready: boolean;
  /** `fresh`, `stale`, `never-synced`, `off`, `asked` (its own mail server speaks)…: one word. */
  readonly state: string;
}

export interface Readiness {
  readonly ready: boolean;
  readonly domains: readonly DomainReadiness[];
}

export interface HttpServerOptions {
  readonly listen: readonly HttpAddress[];
  /** Bytes of one uploaded list. */
  readonly uploadLimitBytes: number;
  /** A request must have arrived whole within this time. */
  readonly requestTimeoutMs: number;
  /** Folder for uploads under way; created with mode 0700. */
  readonly spoolDir: string;
  readonly directoryFile: string;
  readonly lookup: LookupView;
  /** The domains in force; a function, so that a reload takes effect with the next request. */
  readonly domains: () => DomainTable;
  readonly decide: Decide;
  /** Absent when no mail server can be asked. */
  readonly confirm?: Confirm | undefined;
  readonly jobs: Jobs;
  readonly sources: () => readonly HttpSource[];
  readonly readiness: () => Readiness;
  /** The metrics in the Prometheus text format. */
  readonly metrics: () => Promise<string>;
  readonly log: Logger;
  readonly now?: () => number;
}

export interface HttpServer {
  /** Listens on every address; returns where, with the ports the system gave for port 0. */
  listen(): Promise<readonly HttpAddress[]>;
  /** Takes no new requests, waits a few seconds for those under way, then cuts them. */
  close(): Promise<void>;
}
