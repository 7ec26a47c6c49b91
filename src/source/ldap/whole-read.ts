/**
 * A read of everything: each base to its last page, the cursor for the changes after it taken first.
 *
 * `complete` only when there is no doubt at all and somebody in particular has read.
 */
import { messageOf } from '../../errors.js';
import type { Cursor, Entry, ReadReport } from '../source.js';
import { changeReader } from './change-reader.js';
import { ownCountOf } from './own-count.js';
import type { Scan } from './scan.js';
import { isSelective, sharedIdReason } from './options.js';
import { openSelection } from './selection.js';

const maxBatch = 1000;

export async function* readWhole(scan: Scan): AsyncGenerator<readonly Entry[], ReadReport, void> {
  const { options } = scan;
  scan.doubt(await lacking(scan));
  const begun = await beginChanges(scan);
  const selection = await openSelection(scan);
  const bases = new Set(options.baseDns);
  let done = 0;
  for (const baseDn of bases) {
    const before = done;
    for await (const found of scan.pages(baseDn, selection.filter, selection.attributes)) {
      const { entries } = await scan.toEntries(found.filter((one) => selection.keeps(one)));
      done += found.length;
      scan.progress(done);
      for (let at = 0; at < entries.length; at += maxBatch) yield entries.slice(at, at + maxBatch);
    }
    if (done === before && bases.size > 1) scan.doubt([emptyBase(baseDn)]);
  }
  const remarks = await selection.end();
  const reasons = [...scan.doubts(), ...anonymously(scan)];
  const parts = [
    scan.who,
    `${String(done)} entries below ${options.baseDns.join(' and ')}`,
    ...remarks,
    ...scan.remarks(),
    ...(begun.why === undefined ? [] : [`changes cannot be told: ${begun.why}`]),
  ];
  const ownCount = await ownCountOf(scan);
  return {
    complete: reasons.length === 0,
    reasons,
    description: parts.join(', '),
    cursor: begun.cursor,
    ownCount,
  };
}

/** A server that refuses to search for changes (no index, no right) is read whole all the same. */
export async function beginChanges(scan: Scan): Promise<{ cursor?: Cursor | undefined; why?: string }> {
  if (isSelective(scan.options)) return {};
  const why = sharedIdReason(scan.options);
  if (why !== undefined) return { why };
  try {
    return { cursor: await changeReader(scan.options.preset).begin(scan.aside()) };
  } catch (error) {
    if (scan.session.lost) throw error;
    return { why: messageOf(error) };
  }
}

/** Why this server may not hold all that a whole read needs. */
export async function lacking(scan: Scan): Promise<readonly string[]> {
  return (await changeReader(scan.options.preset).lacks?.(scan)) ?? [];
}

/** A base that this account may no longer see looks just like an empty one. */
export function emptyBase(baseDn: string): string {
  return `${baseDn} gave no entry: if it is empty for good, take it out of baseDn`;
}

/** Why what an anonymous account sees proves nothing. */
export function anonymously(scan: Scan): string[] {
  if ((scan.options.bindDn ?? '') !== '') return [];
  return ['read anonymously, and a directory may hide people from that: set bindDn'];
}
