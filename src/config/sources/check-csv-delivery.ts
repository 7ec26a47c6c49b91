/** Checks of how lists of kind `csv` come: one way at a time, secrets as secrets, a folder of one's own. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { error, warning, type CheckFinding } from '../findings.js';
import type { Path } from '../json.js';
import type { Config } from '../schema.js';
import type { CsvSourceConfig } from './csv.js';

export function deliveryChecks(source: CsvSourceConfig, path: Path): CheckFinding[] {
  return [...wayChecks(source, path), ...headerChecks(source, path), ...uselessChecks(source, path)];
}

const ways = ['path', 'folder', 'url'] as const;

function wayChecks(source: CsvSourceConfig, path: Path): CheckFinding[] {
  const [first, second] = ways.filter((way) => source[way] !== undefined);
  if (first !== undefined && second !== undefined) {
    return [
      error([...path, second], `"${first}" is set as well: a list comes one way only, keep one of them`),
    ];
  }
  if (source.schedule === undefined) {
    const idle = 'has no "schedule": it is only read at a start, and when somebody syncs it';
    return first === 'url' ? [warning(path, idle)] : [];
  }
  if (first === 'folder')
    return [error([...path, 'schedule'], 'a "folder" is watched all the time: use "interval" instead')];
  if (first !== undefined) return [];
  const nothing = 'needs a "path" or a "url" to read: a source without one only takes uploads';
  return [error([...path, 'schedule'], nothing)];
}

/** RFC 9110 §10, §11: headers that let somebody in, or that name a person. */
const secretName = /^(?:proxy-)?authorization$|^cookie$|token|secret|password|api-?key|^x-.*-key$|^x-auth/i;
/** Those that the download sets itself, or that say how the message travels. */
const ownNames =
  /^(?:host|connection|content-.*|transfer-encoding|te|upgrade|expect|range|keep-alive|if-.*|accept-encoding|proxy-.*)$/i;

function headerChecks({ headers }: CsvSourceConfig, path: Path): CheckFinding[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const here = [...path, 'headers', name];
    if (ownNames.test(name)) return [error(here, 'is set by the download itself: leave it out')];
    if (typeof value !== 'string' || !secretName.test(name)) return [];
    // never shown: it is a secret
    const message =
      'is a secret, and does not belong in this file: write {"env": "NAME"} or {"file": "path"}';
    return [{ level: 'error', path: here, message } satisfies CheckFinding];
  });
}

function uselessChecks(source: CsvSourceConfig, path: Path): CheckFinding[] {
  if (source.url !== undefined) {
    const twice = source.secretQuery !== undefined && new URL(source.url).search !== '';
    return twice ? [error([...path, 'secretQuery'], '"url" has a query already: keep one of them')] : [];
  }
  const set = (['secretQuery', 'ca'] as const).filter((option) => source[option] !== undefined);
  const names = Object.keys(source.headers).length > 0 ? [...set, 'headers'] : set;
  return names.map((name) => error([...path, name], 'has no effect without "url"'));
}

/** Two sources that empty one folder would take each other's lists. `folder` is the one that relative paths count from. */
export function checkDropFolders(config: Config, folder: string): CheckFinding[] {
  const seen: { readonly name: string; readonly real: string }[] = [];
  const lists = Object.entries(config.sources).flatMap(([name, source]) =>
    source.kind === 'csv' && source.folder !== undefined ? [{ name, folder: source.folder }] : [],
  );
  return lists.flatMap(({ name, folder: own }) => {
    const real = realPathOf(resolve(folder, own));
    const other = seen.find((each) => isWithin(each.real, real) || isWithin(real, each.real));
    seen.push({ name, real });
    if (other === undefined) return [];
    const how = other.real === real ? 'is the folder' : 'lies in, or around, the folder';
    const message = `${how} of source "${other.name}": give each source a folder of its own`;
    return [error(['sources', name, 'folder'], message)];
  });
}

function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : `${outer}${sep}`);
}

/** As far as it is there now: links are followed. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(realPathOf(folder), basename(path));
  }
}
