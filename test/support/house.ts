/** A store, a published snapshot and a decide in a fresh folder, with an injected clock: the house without its doors. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLookup, type LookupReader } from '../../src/lookup/reader.js';
import { publish, type Published } from '../../src/lookup/publish.js';
import { createDecide } from '../../src/policy/decide.js';
import { createDomainTable, type DomainOptions } from '../../src/policy/domain-table.js';
import type { Question, Verdict } from '../../src/policy/verdict.js';
import type { Source } from '../../src/source/source.js';
import { registerSource } from '../../src/store/sqlite/catalog.js';
import { openDirectory, type Db } from '../../src/store/sqlite/open.js';
import type { RunRecord, SourceRef } from '../../src/store/store.js';
import type { GuardLimits } from '../../src/sync/guard.js';
import type { Reading, RunDeps } from '../../src/sync/request.js';
import { runSync } from '../../src/sync/run.js';
import { createScope } from '../../src/sync/scope.js';
import { arraySource, type ArrayRead } from './array-source.js';

export const hour = 3_600_000;

export function domainOptions(domain: string, options: Partial<DomainOptions> = {}): DomainOptions {
  return {
    domain,
    tenant: 'default',
    mode: 'enforce',
    sources: ['staff'],
    subaddress: ['+'],
    caseSensitive: false,
    includeSubdomains: false,
    always: ['postmaster', 'abuse'],
    patterns: [],
    catchAll: false,
    staleAfterMs: 48 * hour,
    whenStale: 'defer',
    removedDeferForMs: 24 * hour,
    replies: {},
    ...options,
  };
}

export interface SyncOptions {
  readonly source?: string;
  readonly tenant?: string;
  readonly dryRun?: boolean;
  readonly limits?: Partial<GuardLimits>;
  readonly canaries?: readonly string[];
  readonly waits?: readonly string[];
  readonly reading?: Reading;
}

export const noLimits: GuardLimits = {
  removals: { percent: 100, floor: 1_000_000, domainPercent: 100 },
  growthPercent: 1_000_000,
};

export class House {
  readonly folder = mkdtempSync(join(tmpdir(), 'rollcall-house-'));
  readonly directoryFile = join(this.folder, 'directory.db');
  readonly lookupFile = join(this.folder, 'lookup.db');
  readonly db: Db = openDirectory(this.directoryFile);
  now = Date.UTC(2026, 0, 1);
  domains: DomainOptions[];
  lookup: LookupReader;
  published: Published | undefined;

  constructor(domains: DomainOptions[] = [domainOptions('example.com')]) {
    this.domains = domains;
    this.publish();
    this.lookup = openLookup({ path: this.lookupFile });
  }

  publish(): void {
    this.published = publish({ directoryFile: this.directoryFile, lookupFile: this.lookupFile });
  }

  get deps(): RunDeps {
    return {
      db: this.db,
      now: () => this.now,
      leaseMs: 60_000,
      publish: () => {
        this.publish();
      },
    };
  }

  ref(source = 'staff', tenant = 'default'): SourceRef {
    return registerSource(this.db, tenant, source, 'csv');
  }

  sync(read: ArrayRead, options: SyncOptions = {}): Promise<RunRecord> {
    return this.syncFrom(arraySource(read), options);
  }

  syncFrom(source: Source, options: SyncOptions = {}): Promise<RunRecord> {
    const tenant = options.tenant ?? 'default';
    return runSync(this.deps, {
      ref: this.ref(options.source, tenant),
      kind: 'sync',
      actor: 'test',
      source,
      scope: createScope(this.domains.filter((domain) => domain.tenant === tenant)),
      limits: {
        removals: { percent: 5, floor: 10, domainPercent: 50 },
        growthPercent: 50,
        ...options.limits,
      },
      canaries: options.canaries ?? [],
      dryRun: options.dryRun ?? false,
      waits: options.waits ?? [],
      reading: options.reading,
      maxProblems: 100,
      signal: new AbortController().signal,
    });
  }

  ask(recipient: string, question: Partial<Question> = {}): Verdict {
    this.lookup.refresh();
    const decide = createDecide({
      domains: () => createDomainTable(this.domains),
      lookup: this.lookup,
      now: () => this.now,
      reference: () => 'REF00000',
    });
    return decide({ recipient, form: 'smtp', sender: 'someone@elsewhere.test', edge: 'test', ...question });
  }

  /** `action reason code status`, for short tables. */
  answer(recipient: string, question: Partial<Question> = {}): string {
    const { action, reason, code, status } = this.ask(recipient, question);
    return `${action} ${reason} ${code} ${status}`;
  }

  /** Every claim, as one comparable text. */
  claims(): string {
    const rows = this.db
      .prepare(
        'SELECT tenant, source, key, object, attribute, kind, flags, spelling FROM claim ORDER BY tenant, source, key, object',
      )
      .raw()
      .all();
    return JSON.stringify(rows);
  }

  close(): void {
    this.lookup.close();
    this.db.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
