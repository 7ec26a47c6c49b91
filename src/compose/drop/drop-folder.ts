/**
 * A drop folder: the newest settled list in it becomes an upload, and is put away with its report.
 *
 * Promises: one list at a time, and one process at a time (a lock file); a list is the whole list, under the guard, like any
 * upload; older ones that wait are put away unread as superseded once a newer one has counted, and wait on while the newer
 * one is refused or still being written. Nothing is deleted unread. A crash at any point leaves the file where it is found
 * again: reading it twice changes nothing. A run that failed through no fault of the list is tried again, later and later.
 */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { asRollcallError, RollcallError } from '../../errors.js';
import { takeLockFile } from '../../store/sqlite/lock-file.js';
import type { ProblemRecord, RunRecord } from '../../store/store.js';
import type { Job } from '../jobs.js';
import { fileAt, look, type LookOptions, type Memory, type Waiting } from './look.js';
import { claim, prune, putAway, type Keep } from './move.js';
import { shown } from './names.js';
import { mostProblems } from './report.js';

export interface DropOptions extends LookOptions {
  readonly source: string;
  readonly keep: Keep;
  readonly maxBytes: number;
  /** Held while something is taken from the folder. */
  readonly lockFile: string;
}

export type Tell = (level: 'info' | 'warn' | 'error', fields: object, message: string) => void;

export interface DropDeps {
  /** Throws what the job throws. */
  readonly run: (job: Job) => Promise<RunRecord>;
  /** What the run could not use. */
  readonly problems: (run: number, limit: number) => readonly ProblemRecord[];
  readonly tell: Tell;
  readonly now?: () => number;
}

export interface Request {
  readonly actor: string;
  /** Nothing is taken or put away. */
  readonly dryRun: boolean;
  /** Also what failed a moment ago. */
  readonly atOnce: boolean;
}

export interface Taken {
  /** The last run that was made. */
  readonly record: RunRecord | undefined;
  /** Milliseconds until there may be more to do; undefined when nothing is waited for. */
  readonly nextInMs: number | undefined;
}

export interface DropFolder {
  /** Takes what waits. Throws `source` when the folder cannot be used, `conflict` while somebody else takes from it. */
  take(request: Request): Promise<Taken>;
  /** Drops what is kept too long. */
  prune(): Promise<void>;
}

/** What became of one file: the list counts; it was put away as bad; it is still written; it is to be tried again. */
type Outcome = 'counts' | 'refused' | 'changed' | 'again';

interface Ending {
  readonly place: 'done' | 'failed';
  readonly state: string;
  readonly record?: RunRecord;
  readonly remarks: readonly string[];
}

const [firstAgainMs, longestAgainMs, mostTries] = [30_000, 3_600_000, 8];
const mostTried = 1000; // bad lists in one go

export function createDropFolder(options: DropOptions, deps: DropDeps): DropFolder {
  const { folder, source } = options;
  const { tell, now = Date.now } = deps;
  const memory: Memory = new Map();
  const failures = new Map<string, { readonly times: number; readonly until: number }>();
  let record: RunRecord | undefined;

  async function take(request: Request): Promise<Taken> {
    record = undefined;
    const seen = await look(options, memory, now());
    for (const path of failures.keys()) if (!memory.has(path)) failures.delete(path);
    const { ready } = seen;
    if (ready.length > 0 && mayTry(ready[0], request)) {
      await mkdir(dirname(options.lockFile), { recursive: true, mode: 0o700 });
      const unlock = takeLockFile(options.lockFile, { busy: `another process takes lists from ${folder}` });
      try {
        await takeNewest(ready, request);
      } finally {
        unlock();
      }
    }
    return { record, nextInMs: seen.nextInMs };
  }

  function mayTry(file: Waiting | undefined, { atOnce }: Request): boolean {
    return file !== undefined && (atOnce || (failures.get(file.path)?.until ?? 0) <= now());
  }

  async function takeNewest(ready: readonly Waiting[], request: Request): Promise<void> {
    for (const [index, file] of ready.slice(0, mostTried).entries()) {
      const outcome = await takeOne(file, ready.slice(index + 1), request);
      if (outcome === 'again' || request.dryRun) return;
      if (outcome === 'counts') {
        await prune(folder, options.keep, now());
        return;
      }
    }
  }

  async function takeOne(seen: Waiting, older: readonly Waiting[], request: Request): Promise<Outcome> {
    const file = request.dryRun ? seen : await claim(seen, folder, now());
    if (file === undefined) return 'changed';
    if (file.bytes > options.maxBytes) return await refuseLarge(file, request);
    const ended = await attempt(file, request);
    if (ended === undefined || request.dryRun) return 'again';
    if ((await fileAt(file.path, file.name, true))?.signature !== file.signature) {
      tell(
        'info',
        { source, file: shown(file.name) },
        'list was changed while it was read: waiting for its end',
      );
      return 'changed';
    }
    const { state } = ended;
    if (state === 'failed' && !isLastTry(file)) return 'again';
    const isBad = state === 'failed' || state === 'refused';
    if (!isBad) await supersede(older, file);
    await conclude(file, { place: isBad ? 'failed' : 'done', state, record: ended, remarks: [] });
    return isBad ? 'refused' : 'counts';
  }

  async function refuseLarge(file: Waiting, { dryRun, atOnce }: Request): Promise<Outcome> {
    const tooLarge = `it has ${String(file.bytes)} bytes, more than maxSize (${String(options.maxBytes)})`;
    if (!dryRun) await conclude(file, { place: 'failed', state: 'refused', remarks: [tooLarge] });
    if (atOnce) throw new RollcallError('input', `${shown(file.name)}: ${tooLarge}`);
    return 'refused';
  }

  /** Undefined when there was no run. Throws to somebody who asked. */
  async function attempt(file: Waiting, { actor, dryRun, atOnce }: Request): Promise<RunRecord | undefined> {
    const upload = { path: file.path, label: shown(file.name) };
    try {
      record = await deps.run({ kind: 'upload', source, dryRun, actor, upload });
      return record;
    } catch (error) {
      const { code, message } = asRollcallError(error);
      tell('warn', { source, file: upload.label, code, err: message }, 'list not read: trying again');
      // it has not had its turn
      const isLast = code !== 'conflict' && !dryRun && isLastTry(file);
      if (isLast) await conclude(file, { place: 'failed', state: 'failed', remarks: [message] });
      if (atOnce) throw error;
      return undefined;
    }
  }

  /** Counts a failure. */
  function isLastTry({ path }: Waiting): boolean {
    const times = (failures.get(path)?.times ?? 0) + 1;
    const againMs = Math.min(firstAgainMs * 2 ** (times - 1), longestAgainMs);
    failures.set(path, { times, until: now() + againMs });
    return times >= mostTries;
  }

  async function conclude(file: Waiting, { place, state, record: ended, remarks }: Ending): Promise<void> {
    const problems = ended === undefined ? [] : deps.problems(ended.run, mostProblems);
    const report = { ...{ file: file.name, source, at: now(), state, problems, remarks }, record: ended };
    const { path, trouble } = await putAway(file, folder, place, report).catch((error: unknown) => {
      // or it would be read again at every look
      isLastTry(file);
      throw error;
    });
    failures.delete(file.path);
    const fields = { source, file: shown(file.name), state, ...(ended && { run: ended.run }), movedTo: path };
    // of a run that ended badly the log knows already
    tell(place === 'failed' && ended === undefined ? 'error' : 'info', fields, 'list from folder put away');
    if (trouble !== undefined) tell('error', { source, movedTo: path, err: trouble }, 'report not written');
  }

  /** Before the newer one itself is put away: after a crash it is read again, and not one of these in its stead. */
  async function supersede(older: readonly Waiting[], by: Waiting): Promise<void> {
    const remarks = [`Not read: ${shown(by.name)} is newer and counts instead.`];
    try {
      for (const seen of older) {
        const file = await claim(seen, folder, now());
        if (file !== undefined) await conclude(file, { place: 'done', state: 'superseded', remarks });
      }
    } catch (error) {
      isLastTry(by); // or it would be read again at every look
      throw error;
    }
  }

  return { take, prune: () => prune(folder, options.keep, now()) };
}
