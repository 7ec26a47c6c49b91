/**
 * A look into a drop folder: which lists wait, and which of them are still being written.
 *
 * Promises: looks at names and at what the file system says of them, opens nothing; links, pipes, folders and what is not a
 * list are left alone; bounded. A file is settled when nothing about it has changed for long enough: by its own time of
 * change, which nobody can set, measured by the clock that gave it (a share's is its server's); or by what earlier looks saw.
 */
import { constants } from 'node:fs';
import { access, lstat, mkdir, opendir, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, RollcallError } from '../../errors.js';
import { isList, parseTaken } from './names.js';

/** Inside the folder: what is being read, and what was. */
export const places = { processing: 'processing', done: 'done', failed: 'failed' } as const;

export interface Waiting {
  readonly path: string;
  /** As it was dropped. */
  readonly name: string;
  /** It was taken before: by a process that died, or while it was still being written. */
  readonly isTaken: boolean;
  readonly signature: string;
  readonly bytes: number;
  readonly modifiedAt: bigint;
  readonly changedAt: number;
}

export interface Look {
  /** Settled, the newest first. */
  readonly ready: readonly Waiting[];
  /** Milliseconds until the next one may be settled; undefined when none is waited for. */
  readonly nextInMs: number | undefined;
}

export interface LookOptions {
  readonly folder: string;
  readonly patterns: readonly string[];
  readonly settleMs: number;
  /** Milliseconds that our clock is ahead of the one of the files there. */
  readonly clockAhead?: (folder: string) => Promise<number>;
}

const maxEntries = 10_000;
/** A transfer that has begun and brought nothing yet looks like an empty list. */
const emptyFactor = 6;

/** What earlier looks saw: path → signature, and since when. */
export type Memory = Map<string, { readonly signature: string; readonly since: number }>;

/** Throws `source` when the folder cannot be read or written. */
export async function look(options: LookOptions, memory: Memory, now: number): Promise<Look> {
  const { folder, patterns, settleMs, clockAhead = aheadOf } = options;
  await requireFolder(folder);
  const processing = join(folder, places.processing);
  const dropped = await filesIn(folder, (name) => (isList(name, patterns) ? name : undefined), false);
  const taken = await filesIn(processing, (name) => parseTaken(name)?.name, true);
  const all = [...dropped, ...taken];
  remember(memory, all, now);
  const ahead = all.length === 0 ? 0 : await clockAhead(folder);
  const waits = all.map((file) => ({ file, inMs: waitOf(file, memory, settleMs, now - ahead, now) }));
  const open = waits.filter(({ inMs }) => inMs > 0).map(({ inMs }) => inMs);
  return {
    ready: waits
      .filter(({ inMs }) => inMs <= 0)
      .map(({ file }) => file)
      .sort(newestFirst),
    nextInMs: open.length === 0 ? undefined : Math.min(...open),
  };
}

/** Throws `source`. */
export async function requireFolder(folder: string): Promise<void> {
  try {
    const { R_OK, W_OK, X_OK } = constants;
    if (!(await stat(folder)).isDirectory()) throw new Error('it is not a folder');
    await access(folder, R_OK | W_OK | X_OK);
  } catch (cause) {
    throw new RollcallError('source', `the folder ${folder} cannot be used: ${messageOf(cause)}`, {
      hint: 'Lists are moved inside it: it must exist, and Rollcall must be able to read and write it.',
      cause,
    });
  }
}

async function filesIn(
  folder: string,
  nameOf: (entry: string) => string | undefined,
  isTaken: boolean,
): Promise<Waiting[]> {
  const found: Waiting[] = [];
  let seen = 0;
  for await (const { name: entry } of await entriesOf(folder, isTaken)) {
    seen += 1;
    if (seen > maxEntries) {
      const message = `the folder ${folder} holds more than ${String(maxEntries)} entries`;
      throw new RollcallError('source', message, { hint: 'Clear it: nothing is taken from it until then.' });
    }
    const name = nameOf(entry);
    const file = name === undefined ? undefined : await fileAt(join(folder, entry), name, isTaken);
    if (file !== undefined) found.push(file);
  }
  return found;
}

async function entriesOf(
  folder: string,
  mayBeMissing: boolean,
): Promise<AsyncIterable<{ name: string }> | Iterable<{ name: string }>> {
  try {
    // whoever may write around it could have put a link to the lists of others there
    if (mayBeMissing && !(await lstat(folder)).isDirectory()) throw new Error('it is not a folder');
    return await opendir(folder);
  } catch (cause) {
    if (mayBeMissing && (cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new RollcallError('source', `the folder ${folder} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** Undefined when it is no regular file, or gone. Links are not followed. */
export async function fileAt(path: string, name: string, isTaken: boolean): Promise<Waiting | undefined> {
  const found = await lstat(path, { bigint: true }).catch(() => undefined);
  if (found?.isFile() !== true) return undefined;
  return {
    path,
    name,
    isTaken,
    signature: [found.dev, found.ino, found.size, found.mtimeNs].join(' '),
    bytes: Number(found.size),
    modifiedAt: found.mtimeNs,
    changedAt: Number(found.ctimeMs),
  };
}

function remember(memory: Memory, files: readonly Waiting[], now: number): void {
  const there = new Set(files.map(({ path }) => path));
  for (const path of memory.keys()) if (!there.has(path)) memory.delete(path);
  for (const { path, signature } of files) {
    const known = memory.get(path);
    // a clock that went back would have it wait until then
    if (known?.signature !== signature || known.since > now) memory.set(path, { signature, since: now });
  }
}

/** Milliseconds until it is settled, as far as can be told now. */
function waitOf(file: Waiting, memory: Memory, settleMs: number, theirNow: number, now: number): number {
  const needed = file.bytes === 0 ? settleMs * emptyFactor : settleMs;
  const age = theirNow - file.changedAt;
  const watched = now - (memory.get(file.path)?.since ?? now);
  return needed - Math.max(age, watched);
}

/**
 * Of a share whose server's clock is behind, a file looks old while it is being written. Where its clock cannot be learned,
 * age says nothing.
 */
async function aheadOf(folder: string): Promise<number> {
  const processing = join(folder, places.processing);
  try {
    await mkdir(processing, { mode: 0o750 }).catch(() => undefined);
    const before = new Date();
    await utimes(processing, before, before);
    return Math.max(0, before.getTime() - (await lstat(processing)).ctimeMs);
  } catch {
    return Infinity;
  }
}

/** By the time of the list itself, which an upload may have kept; then by when it came. */
function newestFirst(a: Waiting, b: Waiting): number {
  const [aAt, bAt] = [writtenAt(a), writtenAt(b)];
  if (aAt !== bAt) return aAt > bAt ? -1 : 1;
  if (a.changedAt !== b.changedAt) return b.changedAt - a.changedAt;
  return a.name < b.name ? 1 : -1;
}

/** A time after that of its own change is of a clock that is ahead: it must not count as newer than what comes after it. */
function writtenAt({ modifiedAt, changedAt }: Waiting): bigint {
  const changed = BigInt(Math.ceil(changedAt)) * 1_000_000n;
  return modifiedAt < changed ? modifiedAt : changed;
}
