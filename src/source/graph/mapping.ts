/**
 * One object of Graph to one Entry.
 *
 * `proxyAddresses` holds `SMTP:` and `smtp:` values, and those of other systems (`SIP:`, `SPO:`, `X500:`), which are none of
 * mail. Refuses a value that is no text, and one that holds an `@` but no address: then the entry is doubtful.
 */
import type { Entry, EntryAddress } from '../source.js';
import { newFindings, readValue } from '../written-address.js';
import type { Collection } from './collections.js';
import type { Item } from './delta.js';

export interface Mapped {
  readonly entry: Entry;
  /** Values that could not be used, with the reason. */
  readonly unusable: readonly string[];
}

export function toEntry(item: Item, collection: Collection): Mapped {
  const addresses: EntryAddress[] = [];
  const unusable: string[] = [];
  const known = new Set<string>();
  for (const attribute of collection.addresses) {
    const findings = newFindings();
    for (const value of valuesOf(item.properties[attribute])) {
      if (typeof value === 'string') readValue(value, findings);
      else findings.refused.push('a value is no text');
    }
    for (const value of findings.addresses) {
      if (known.has(value)) continue;
      known.add(value);
      addresses.push({ value, attribute });
    }
    unusable.push(...findings.refused.map((reason) => `${attribute}: ${reason}`));
  }
  return { entry: entryOf(item, collection, addresses, unusable.length > 0), unusable };
}

function entryOf(
  { id, properties }: Item,
  { name, kind, select }: Collection,
  addresses: readonly EntryAddress[],
  doubtful: boolean,
): Entry {
  const [first] = addresses;
  return {
    id,
    kind,
    disabled: select.includes('accountEnabled') && properties['accountEnabled'] === false,
    // Graph does not tell who takes mail from inside only (msExchRequireAuthToSendTo has no counterpart in v1.0)
    internalOnly: false,
    addresses,
    ...(doubtful && { doubtful }),
    where: `${name} ${id}${first === undefined ? '' : ` (${first.value})`}`,
  };
}

function valuesOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null || value === '') return [];
  return Array.isArray(value) ? value : [value];
}

/** The page did not say everything that an entry is made of; what it did not say may be as it was. */
export function isPartial({ properties }: Item, { select }: Collection): boolean {
  return select.some((name) => properties[name] === undefined);
}
