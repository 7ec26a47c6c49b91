/**
 * What became of the last attempt at an export, kept beside the databases (`exports/NAME.json`); and the lock by which one
 * process at a time writes it.
 *
 * The state is a convenience: lost, it only means that the hook runs once more. What is in the file is read from the file.
 */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takeLockFile } from '../store/sqlite/lock-file.js';

export interface ExportRecord {
  /** ISO 8601. */
  readonly at: string;
  readonly state: string;
  /** Generation of the list that was looked at. */
  readonly generation: number;
  /** What was asked for, so that a change of it is seen. */
  readonly asked: string;
  /** `pending`: the file changed, and the hook has not succeeded since. */
  readonly hook: 'none' | 'ok' | 'pending';
  /** Somebody in the file is deferred and will be unknown: it is to be looked at again though nothing changes. */
  readonly lapsing: boolean;
  readonly reasons: readonly string[];
  /** By which a file is seen to have been changed by somebody else: see `fingerprint`. */
  readonly file?: string | undefined;
}

/** Changes whenever somebody writes the file; undefined when there is none. */
export function fingerprint(path: string): string | undefined {
  const there = statSync(path, { throwIfNoEntry: false });
  return there === undefined ? undefined : [there.ino, there.size, there.mtimeMs].join(' ');
}

export function readRecord(stateDir: string, name: string): ExportRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(stateDir, `${name}.json`), 'utf8')) as ExportRecord;
  } catch {
    return undefined;
  }
}

export function writeRecord(stateDir: string, name: string, record: ExportRecord): void {
  const path = join(stateDir, `${name}.json`);
  writeFileSync(`${path}.new`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o640 });
  renameSync(`${path}.new`, path);
}

/** Throws `conflict` while another process exports this. */
export function lockExport(stateDir: string, name: string): () => void {
  mkdirSync(stateDir, { recursive: true, mode: 0o750 });
  const busy = `the export ${name} is being written by another process`;
  return takeLockFile(join(stateDir, `${name}.lock`), { busy });
}
