/** Values of single attributes, and where a DN belongs, as readers of changes need them. */
import { PresenceFilter, type SearchEntry } from 'ldapts';
import type { Reading } from './changes.js';
import { isBelow, normaliseDn } from './dn.js';

/** All values that are text; the name in any case, options (`;range=`) not looked through. */
export function textValues(entry: SearchEntry, name: string): readonly string[] {
  const wanted = name.toLowerCase();
  const found = entry.attributes.find(({ type }) => type.toLowerCase() === wanted);
  return (found?.values ?? []).filter((value) => typeof value === 'string' && value !== '').map(String);
}

export function firstValue(entry: SearchEntry, name: string): string | undefined {
  return textValues(entry, name)[0];
}

/** One attribute of one entry; empty when the entry or the attribute cannot be read. Throws when nobody answers. */
export async function readValues(reading: Reading, dn: string, name: string): Promise<readonly string[]> {
  const answer = await reading.session.search({
    baseDN: dn,
    scope: 'base',
    filter: new PresenceFilter({ attribute: 'objectClass' }),
    attributes: [name],
    timeLimit: reading.options.timeLimitSeconds,
  });
  const [entry] = answer.status === 0 ? answer.searchEntries : [];
  return entry === undefined ? [] : textValues(entry, name);
}

export function sameDn(one: string, other: string): boolean {
  return one === other || (normaliseDn(one) ?? one) === normaliseDn(other);
}

/** The longest of these suffixes that the DN is or lies below. */
export function suffixOf(dn: string, suffixes: readonly string[]): string | undefined {
  const name = normaliseDn(dn);
  if (name === undefined) return undefined;
  const above = suffixes.filter((suffix) => {
    const normal = normaliseDn(suffix);
    return normal !== undefined && isBelow(name, normal);
  });
  return above.sort((a, b) => b.length - a.length)[0];
}
