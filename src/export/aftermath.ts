/**
 * What follows an attempt at an export: its hook, and the record by which the next attempt knows whether there is anything
 * to do.
 */
import { existsSync } from 'node:fs';
import type { ExportDeps, ExportOptions, ExportReport } from './options.js';
import { runHook, type HookResult } from './hook.js';
import { fingerprint, readRecord, writeRecord, type ExportRecord } from './state.js';

/** Of one attempt. */
export interface Outcome extends Pick<ExportReport, 'state' | 'generation' | 'reasons'> {
  /** Somebody in the file is deferred, and will be unknown. */
  readonly lapsing: boolean;
}

/** After a change, and again as long as it has not succeeded. */
export async function hookAfter(
  options: ExportOptions,
  deps: ExportDeps,
  { state, generation }: Outcome,
): Promise<HookResult | undefined> {
  const { hook, name, path } = options;
  if (hook === undefined) return undefined;
  const wasPending = readRecord(deps.stateDir, name)?.hook === 'pending';
  const isDue = state === 'written' || (wasPending && deps.dryRun !== true && existsSync(path));
  return isDue ? runHook(hook, { name, path, generation: generation ?? -1 }, deps.signal) : undefined;
}

export function record(
  options: ExportOptions,
  { stateDir, now }: ExportDeps,
  { state, generation, reasons, lapsing }: Outcome,
  hook: HookResult | undefined,
): void {
  const last = readRecord(stateDir, options.name);
  const hookState =
    options.hook === undefined
      ? 'none'
      : hook === undefined
        ? (last?.hook ?? 'ok')
        : hook.ok
          ? 'ok'
          : 'pending';
  const next: ExportRecord = {
    at: new Date(now).toISOString(),
    state,
    generation: generation ?? -1,
    asked: askedOf(options),
    hook: hookState,
    lapsing,
    reasons,
    file: fingerprint(options.path),
  };
  writeRecord(stateDir, options.name, next);
}

export function askedOf(options: ExportOptions): string {
  return JSON.stringify(options);
}

const lapseMs = 3_600_000;

/** Whether an export has anything to do: cheap, and true in doubt. */
export function isDue(
  options: ExportOptions,
  stateDir: string,
  generation: number | undefined,
  now: number,
): boolean {
  const last = readRecord(stateDir, options.name);
  if (last === undefined || last.generation !== generation || last.asked !== askedOf(options)) return true;
  if (last.hook === 'pending' || (last.state !== 'written' && last.state !== 'unchanged')) return true;
  const file = fingerprint(options.path);
  if (file === undefined || file !== last.file) return true;
  return last.lapsing && now - Date.parse(last.at) > lapseMs;
}
