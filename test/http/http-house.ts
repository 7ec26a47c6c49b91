/** A running HTTP server on a real directory.db with two tenants, and jobs done in this process as control does them. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { domainTableOf } from '../../src/compose/domains.js';
import { recover } from '../../src/compose/housekeeping.js';
import { runJob } from '../../src/compose/jobs.js';
import { parseConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/schema.js';
import type { HttpAddress, HttpJob, HttpServer, HttpServerOptions } from '../../src/http/options.js';
import { readinessOf } from '../../src/http/readiness.js';
import { createHttpServer } from '../../src/http/server.js';
import { openLookup, type LookupReader } from '../../src/lookup/reader.js';
import { lookupPath } from '../../src/lookup/schema.js';
import { createDecide } from '../../src/policy/decide.js';
import { openDirectory, directoryPath } from '../../src/store/sqlite/open.js';
import { createToken } from '../../src/store/sqlite/tokens.js';
import type { RunRecord, TokenRole } from '../../src/store/store.js';
import { createLogger } from '../../src/telemetry/log.js';

export const people = (n: number): string =>
  `address\n${Array.from({ length: n }, (_, i) => `u${i}@acme.example\n`).join('')}`;

function configIn(folder: string): Config {
  const parsed = parseConfig(
    JSON.stringify({
      dataDir: './data',
      tenants: { acme: {}, other: {} },
      domains: {
        'acme.example': { mode: 'enforce', sources: ['staff'], tenant: 'acme' },
        'other.example': { mode: 'enforce', sources: ['theirs'], tenant: 'other' },
      },
      sources: {
        staff: { kind: 'csv', path: './staff.csv', tenant: 'acme' },
        theirs: { kind: 'csv', path: './theirs.csv', tenant: 'other' },
      },
    }),
    { file: join(folder, 'config.json') },
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.config;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // what a JSON API answers is looked at key by key
  readonly json: Record<string, unknown>;
}

export class HttpHouse {
  readonly folder = mkdtempSync(join(tmpdir(), 'rollcall-http-'));
  readonly config = configIn(this.folder);
  readonly logLines: string[] = [];
  /** Called before each job: to hold one up, or to make it throw. */
  beforeJob: (job: HttpJob) => Promise<void> = async () => {};
  readonly #lookup: LookupReader;
  #server: HttpServer;
  #base = '';

  constructor(overrides: Partial<HttpServerOptions> = {}) {
    mkdirSync(join(this.folder, 'data'));
    this.writeList('staff', people(100));
    this.writeList('theirs', 'address\nsecret@other.example\n');
    recover(this.config, Date.now());
    this.#lookup = openLookup({ path: lookupPath(this.config.dataDir) });
    this.#server = createHttpServer({ ...this.#options(), ...overrides });
  }

  #options(): HttpServerOptions {
    const domains = domainTableOf(this.config);
    const lookup = this.#lookup;
    return {
      listen: [{ host: '127.0.0.1', port: 0 }],
      uploadLimitBytes: 64 * 1024,
      requestTimeoutMs: 5000,
      spoolDir: this.spoolDir,
      directoryFile: directoryPath(this.config.dataDir),
      lookup,
      domains: () => domains,
      decide: createDecide({ domains: () => domains, lookup, now: Date.now, reference: () => 'REF00000' }),
      jobs: { run: (job) => this.#run(job) },
      sources: () =>
        Object.entries(this.config.sources).map(([name, { tenant, kind }]) => ({ name, tenant, kind })),
      readiness: () => readinessOf(domains, lookup, Date.now()),
      metrics: async () => '# HELP up Always 1\nup 1\n',
      log: createLogger({ level: 'debug', destination: { write: (line) => void this.logLines.push(line) } }),
    };
  }

  get spoolDir(): string {
    return join(this.config.dataDir, 'spool');
  }

  get directoryFile(): string {
    return directoryPath(this.config.dataDir);
  }

  get port(): number {
    return Number(new URL(this.#base).port);
  }

  async #run(job: HttpJob): Promise<RunRecord> {
    await this.beforeJob(job);
    const record = await runJob(this.config, job, { signal: new AbortController().signal });
    this.#lookup.refresh();
    return record;
  }

  async start(): Promise<this> {
    const [address] = await this.#server.listen();
    this.#base = baseOf(address);
    return this;
  }

  /** Stops the server only. */
  stop(): Promise<void> {
    return this.#server.close();
  }

  async close(): Promise<void> {
    await this.stop();
    this.#lookup.close();
    rmSync(this.folder, { recursive: true });
  }

  writeList(source: 'staff' | 'theirs', text: string): void {
    writeFileSync(join(this.folder, `${source}.csv`), text);
  }

  token(role: TokenRole, tenant = 'acme'): string {
    const db = openDirectory(directoryPath(this.config.dataDir));
    try {
      return createToken(db, {
        tenant,
        name: `${role}-${Math.random()}`,
        role,
        actor: 'test',
        now: Date.now(),
      });
    } finally {
      db.close();
    }
  }

  async ask(method: string, path: string, token?: string, init: RequestInit = {}): Promise<Answer> {
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
    const response = await fetch(this.#base + path, { ...init, method, headers });
    const text = await response.text();
    const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : { text };
    return { status: response.status, headers: response.headers, json };
  }

  post(path: string, token: string, body?: unknown): Promise<Answer> {
    if (body === undefined) return this.ask('POST', path, token);
    const headers = { 'content-type': 'application/json' };
    return this.ask('POST', path, token, { body: JSON.stringify(body), headers });
  }

  put(path: string, token: string, list: string): Promise<Answer> {
    return this.ask('PUT', path, token, { body: list, headers: { 'content-type': 'text/csv' } });
  }

  spooled(): string[] {
    try {
      return readdirSync(this.spoolDir);
    } catch {
      return [];
    }
  }
}

function baseOf(address: HttpAddress | undefined): string {
  if (address === undefined || 'path' in address) throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}
