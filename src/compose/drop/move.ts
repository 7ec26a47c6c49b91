/**
 * Taking a dropped list, and putting it away with its report.
 *
 * Promises: everything is moved by rename inside the folder, under a name that was free; a file that is not the one that was
 * looked at is not lost, it waits in `processing`. What is put away is kept for a time and in a number; nothing else in those
 * folders is touched.
 */
import { lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, RollcallError } from '../../errors.js';
import { fileAt, places, type Waiting } from './look.js';
import { parseTaken, takenName, withoutReportEnd } from './names.js';
import { jsonReport, textReport, type DropReport } from './report.js';

type Place = keyof typeof places;

/**
 * The file at a place where nobody else renames or replaces it; undefined when it is not the one that was seen any more: then
 * it waits there, or has gone.
 */
export async function claim(file: Waiting, folder: string, now: number): Promise<Waiting | undefined> {
  if (file.isTaken) return file;
  const target = await freePath(folder, 'processing', file.name, now);
  try {
    await rename(file.path, target);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw immovable(file.path, cause);
  }
  const found = await fileAt(target, file.name, true);
  return found?.signature === file.signature ? found : undefined;
}

export interface PutAway {
  /** Where it is now. */
  readonly path: string;
  /** Why there is no report, when it could not be written. */
  readonly trouble: string | undefined;
}

/** The reports come first: a file in `done` has one. A report that cannot be written does not keep the file from moving. */
export async function putAway(
  file: Waiting,
  folder: string,
  place: Exclude<Place, 'processing'>,
  report: DropReport,
): Promise<PutAway> {
  const target = await freePath(folder, place, file.name, report.at);
  const trouble = await writeReports(target, report);
  try {
    await rename(file.path, target);
  } catch (cause) {
    throw immovable(file.path, cause);
  }
  return { path: target, trouble };
}

async function writeReports(target: string, report: DropReport): Promise<string | undefined> {
  try {
    const options = { flag: 'wx', mode: 0o640 } as const;
    await writeFile(`${target}.report.json`, jsonReport(report), options);
    await writeFile(`${target}.report.txt`, textReport(report), options);
    return undefined;
  } catch (cause) {
    return messageOf(cause);
  }
}

async function freePath(folder: string, place: Place, name: string, now: number): Promise<string> {
  const inside = join(folder, places[place]);
  await mkdir(inside, { mode: 0o750 }).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw immovable(inside, cause);
  });
  // somebody who may write into the folder could have put a link there
  if (!(await lstat(inside)).isDirectory()) throw immovable(inside, new Error('it is not a folder'));
  for (;;) {
    const path = join(inside, takenName(name, now));
    if ((await lstat(path).catch(() => undefined)) === undefined) return path;
  }
}

function immovable(path: string, cause: unknown): RollcallError {
  return new RollcallError('source', `${path} cannot be used: ${messageOf(cause)}`, {
    hint: 'Rollcall must be able to rename files in this folder, and make folders in it.',
    cause,
  });
}

export interface Keep {
  readonly files: number;
  readonly ageMs: number;
}

/** Deletes what is too old, or too many, of what was put away, with its reports. Never throws. */
export async function prune(folder: string, { files, ageMs }: Keep, now: number): Promise<void> {
  for (const place of [places.done, places.failed]) {
    const inside = join(folder, place);
    const isOurs = await lstat(inside).then(
      (found) => found.isDirectory(),
      () => false,
    );
    const names = isOurs ? await readdir(inside).catch(() => []) : []; // never through a link
    const stored = [...new Set(names.map(withoutReportEnd))].sort().reverse();
    const ours = stored.flatMap((name) => {
      const at = parseTaken(name)?.at;
      return at === undefined ? [] : [{ name, at }];
    });
    const over = ours.filter(({ at }, index) => index >= files || now - at > ageMs);
    const gone = new Set(over.map(({ name }) => name));
    for (const name of names.filter((each) => gone.has(withoutReportEnd(each))))
      await rm(join(inside, name), { force: true }).catch(() => undefined);
  }
}
