/**
 * The guard of files: from what a file holds and what would take its place to the reasons against it. Pure.
 *
 * Promises: no file is emptied, no domain in it, and none shrinks past a limit, without a person's word (`--force`); a file
 * that Rollcall did not write is not overwritten.
 */
import type { DomainCount } from './row.js';

export interface Before {
  readonly domains: readonly DomainCount[];
}

/** `foreign`: there is a file, and Rollcall did not write it. */
export type InPlace = Before | 'foreign' | 'missing';

/** A domain may lose so many addresses whatever its percentage. */
const floor = 10;

export function guardExport(
  before: InPlace,
  after: readonly DomainCount[],
  maxShrinkPercent: number,
): string[] {
  const foreign =
    before === 'foreign' ? ['there is a file that Rollcall did not write, and it would be overwritten'] : [];
  const empty = after
    .filter(({ addresses }) => addresses === 0)
    .map(({ domain }) => `nobody is known in ${domain}: the mail server would refuse everybody there`);
  const nothing = after.length === 0 ? ['the file would name nobody'] : [];
  const then = typeof before === 'string' ? [] : before.domains;
  return [
    ...foreign,
    ...nothing,
    ...empty,
    ...then.flatMap((each) => shrinks(each, after, maxShrinkPercent)),
  ];
}

function shrinks(then: DomainCount, after: readonly DomainCount[], maxShrinkPercent: number): string[] {
  const now = after.find(({ domain }) => domain === then.domain);
  if (now === undefined)
    return [
      `${then.domain} (${then.addresses} addresses) would leave the file, and a mail server that still reads it for that domain would refuse everybody there`,
    ];
  const lost = then.addresses - now.addresses;
  const allowed = Math.max(floor, Math.floor((then.addresses * maxShrinkPercent) / 100));
  if (now.addresses === 0 || lost <= allowed) return [];
  return [
    `${then.domain} would shrink from ${then.addresses} to ${now.addresses} addresses, more than ${maxShrinkPercent}%`,
  ];
}
