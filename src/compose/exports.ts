/** From the configuration to exports, and all of them one after the other: one that fails hinders no other. */
import { join } from 'node:path';
import type { Config } from '../config/schema.js';
import { asRollcallError, RollcallError } from '../errors.js';
import { isDue } from '../export/aftermath.js';
import { runExport } from '../export/export.js';
import type { ExportOptions, ExportReport } from '../export/options.js';
import { readLookupMark } from '../lookup/mark.js';
import { lookupPath } from '../lookup/schema.js';
import { domainTableOf } from './domains.js';

export interface ExportRequest {
  /** Undefined: all. */
  readonly names?: readonly string[];
  readonly dryRun?: boolean;
  readonly force?: boolean;
  /** Leaves out those that have nothing to do. */
  readonly onlyDue?: boolean;
}

/** Throws `not-found` for a name that is none. */
export async function runExports(
  config: Config,
  request: ExportRequest,
  { signal, now = Date.now }: { readonly signal: AbortSignal; readonly now?: (() => number) | undefined },
): Promise<ExportReport[]> {
  const lookupFile = lookupPath(config.dataDir);
  const stateDir = join(config.dataDir, 'exports');
  const table = domainTableOf(config);
  const reports: ExportReport[] = [];
  for (const options of exportsOf(config, request.names)) {
    if (signal.aborted) break;
    if (request.onlyDue === true && !isDue(options, stateDir, generationOf(lookupFile), now())) continue;
    const { dryRun = false, force = false } = request;
    const deps = { lookupFile, stateDir, table, now: now(), signal, dryRun, force };
    reports.push(await runExport(options, deps).catch((error: unknown) => failed(options, error)));
  }
  return reports;
}

function exportsOf({ exports }: Config, names: readonly string[] | undefined): ExportOptions[] {
  const unknown = names?.find((name) => !Object.hasOwn(exports, name));
  if (unknown !== undefined) {
    const known = Object.keys(exports).join(', ');
    throw new RollcallError('not-found', `no export is configured as "${unknown}"`, {
      hint: known === '' ? 'There are none under "exports".' : `There are: ${known}.`,
    });
  }
  return Object.entries(exports)
    .filter(([name]) => names === undefined || names.includes(name))
    .map(([name, { hook, ...options }]) => ({
      ...options,
      name,
      hook: hook === undefined ? undefined : { command: hook.command, timeoutMs: hook.timeout },
    }));
}

function generationOf(lookupFile: string): number | undefined {
  const mark = readLookupMark(lookupFile);
  return typeof mark === 'string' ? undefined : mark.generation;
}

function failed({ name, format, path }: ExportOptions, error: unknown): ExportReport {
  const { code, message, hint } = asRollcallError(error);
  const nothing = { generation: null, domains: [], warnings: [], hook: null } as const;
  const busy = code === 'conflict' ? ({ busy: true } as const) : {};
  return { name, state: 'failed', format, path, reasons: [message], hint, ...busy, ...nothing };
}
