/**
 * The small file that goes with an export (the `.cf` of an SQLite file).
 *
 * Promises: whole or not at all, as the export itself; one that somebody wrote by hand is told apart by its first line, and
 * replaced only by a person's word.
 */
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { DomainPolicy } from '../policy/domain-table.js';
import type { Format } from './formats.js';
import { realPathOf, temporaryFor } from './place.js';
import { replaceFile } from './replace.js';
import type { Rights } from './rights.js';

export interface Companion {
  /** The real one. */
  readonly path: string;
  readonly text: string;
}

/** `path`: that of the export, as configured. */
export function companionOf(
  format: Format,
  path: string,
  domains: readonly DomainPolicy[],
): Companion | undefined {
  const made = format.companion?.(path, [...new Set(domains.flatMap(({ subaddress }) => subaddress))]);
  return made === undefined ? undefined : { ...made, path: realPathOf(made.path) };
}

/** None, or one. */
export function companionPath(format: Format, path: string): string[] {
  const made = format.companion?.(path, []);
  return made === undefined ? [] : [realPathOf(made.path)];
}

export function isCompanionSame(companion: Companion | undefined): boolean {
  return companion === undefined || textAt(companion.path) === companion.text;
}

/** Why it must not be written; empty when it may. */
export function foreignCompanion(companion: Companion | undefined): string[] {
  if (companion === undefined) return [];
  const there = textAt(companion.path) ?? '';
  if (there === '' || firstLine(there) === firstLine(companion.text)) return [];
  return [`there is a file ${companion.path} that Rollcall did not write, and it would be overwritten`];
}

export function writeCompanion({ path, text }: Companion, rights: Rights): void {
  const temporary = temporaryFor(path);
  try {
    const fd = openSync(temporary, 'wx', 0o600);
    try {
      writeFileSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    replaceFile(temporary, path, rights);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function textAt(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function firstLine(text: string): string {
  return text.slice(0, text.indexOf('\n') + 1);
}
