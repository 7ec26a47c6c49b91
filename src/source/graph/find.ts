/**
 * Who holds one address at this moment: asked of every collection, by each property that may hold it.
 *
 * Plain queries, for they are answered from the directory itself; advanced ones come from an index that is minutes behind
 * (learn.microsoft.com/graph/aad-advanced-queries), and the people asked about are new. One property a query: `or` over several
 * needs the index. Refuses an answer that does not hold the address: filters may be ignored without an error (the same page,
 * "Error handling").
 */
import { RollcallError } from '../../errors.js';
import type { Entry, FindContext } from '../source.js';
import type { GraphClient } from './client.js';
import type { Collection } from './collections.js';
import { pageOf } from './delta.js';
import { impatient } from './http.js';
import { toEntry } from './mapping.js';

export async function findAddress(
  client: GraphClient,
  collections: readonly Collection[],
  address: string,
  { signal }: FindContext,
): Promise<Entry[]> {
  const stop = new AbortController();
  const abort = (): void => stop.abort(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const questions = collections.flatMap((collection) =>
      collection.addresses.map((property) => ask(client, collection, property, address, stop.signal)),
    );
    const entries = (await Promise.all(questions)).flat();
    return [...new Map(entries.map((entry) => [entry.id, entry])).values()];
  } finally {
    signal.removeEventListener('abort', abort);
    // one that fails is no answer at all: the others need not go on
    stop.abort(new Error('another question about the address has failed'));
  }
}

async function ask(
  client: GraphClient,
  collection: Collection,
  property: string,
  address: string,
  signal: AbortSignal,
): Promise<Entry[]> {
  const filter = encodeURIComponent(filterFor(property, address));
  const url = `/v1.0/${collection.name}?$filter=${filter}&$select=id,${collection.select.join(',')}`;
  const { permission } = collection;
  const answer = await client.json({ url, permission, limits: impatient, discreet: true }, signal);
  const { items, unreadable } = pageOf(client, collection, answer);
  const entries = items.map((item) => toEntry(item, collection).entry);
  const more = typeof answer['@odata.nextLink'] === 'string';
  if (more || unreadable > 0 || !entries.every((entry) => holds(entry, address))) {
    throw new RollcallError('source', `${client.host}: asked for one address, it answers with others`);
  }
  return entries;
}

function filterFor(property: string, address: string): string {
  // OData 4.01 URL conventions §5.1.1.6.2: a quote within a string is doubled
  const quoted = address.replaceAll("'", "''");
  // strings are compared without their case, so that this finds SMTP: as well; the primary one is in `mail` besides
  return property === 'proxyAddresses'
    ? `proxyAddresses/any(p:p eq 'smtp:${quoted}')`
    : `${property} eq '${quoted}'`;
}

function holds(entry: Entry, address: string): boolean {
  const asked = address.toLowerCase();
  return entry.addresses.some(({ value }) => value.toLowerCase() === asked);
}
