/**
 * Names of files that are dropped into a folder: which are lists, which are unfinished, and what they are called once taken.
 *
 * Promises: a taken file has a name that no other has, with the time in front, so that names sort by time; it fits into a
 * folder however long it was. Everything here is about names; look.ts sees the files.
 */
import { randomBytes } from 'node:crypto';
import { matchesGlob } from '../../address/glob.js';

/** What programs call a file that they are still writing: WinSCP, browsers, rsync, editors, Office. */
const unfinished =
  /^[.~]|~$|\.(?:part|partial|filepart|tmp|temp|crdownload|download|upload|uploading|writing|swp|lock)$/i;

export function isList(name: string, patterns: readonly string[]): boolean {
  if (unfinished.test(name)) return false;
  const folded = name.toLowerCase();
  return patterns.some((pattern) => matchesGlob(pattern.toLowerCase(), folded));
}

/** A name on one line, for messages. */
export function shown(name: string): string {
  return name.replace(/\p{Cc}/gu, '?');
}

const longest = 180; // octets; with the time in front and `.report.json` behind it is below 255

/** `20261122T064512Z-3f9a-staff.csv` */
export function takenName(name: string, now: number): string {
  const stamp = `${new Date(now).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
  return `${stamp}-${randomBytes(2).toString('hex')}-${shorten(shown(name))}`;
}

function shorten(name: string): string {
  const octets = Buffer.from(name);
  if (octets.length <= longest) return name;
  return octets
    .subarray(octets.length - longest)
    .toString('utf8')
    .replaceAll('\uFFFD', '');
}

const taken = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[0-9a-f]{4}-(.+)$/s;

/** When it was taken, and what it was called; undefined for a name that we did not give. */
export function parseTaken(stored: string): { readonly at: number; readonly name: string } | undefined {
  const [, year, month, day, hours, minutes, seconds, name] = taken.exec(stored) ?? [];
  if (name === undefined) return undefined;
  const at = Date.parse(
    `${year ?? ''}-${month ?? ''}-${day ?? ''}T${hours ?? ''}:${minutes ?? ''}:${seconds ?? ''}Z`,
  );
  return Number.isNaN(at) ? undefined : { at, name };
}

export const reportEnds = ['.report.json', '.report.txt'] as const;

/** The taken file that a report is about; the name itself for anything else. */
export function withoutReportEnd(name: string): string {
  const end = reportEnds.find((each) => name.endsWith(each));
  return end === undefined ? name : name.slice(0, -end.length);
}
