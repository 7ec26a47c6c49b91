/**
 * Objects by their ids, whole: for those of which a page told a part only, or contradicted itself.
 *
 * learn.microsoft.com/graph/delta-query-overview, "Resource representation": an updated object comes with at least the properties
 * that have changed. What did not come is then asked for, never taken for empty.
 */
import { RollcallError } from '../../errors.js';
import type { GraphClient } from './client.js';
import type { Collection } from './collections.js';
import { pageOf, type Item } from './delta.js';
import { patient, type RetryLimits } from './http.js';

/** `in` takes 15 values at most: learn.microsoft.com/graph/aad-advanced-queries. */
const perRequest = 15;
const atOnce = 4;

/**
 * Those that are there. An object that is not in the answer is only not to be seen: that proves nothing. Throws when the answer
 * is not one to the question, or only its beginning.
 */
export async function readAgain(
  client: GraphClient,
  collection: Collection,
  ids: readonly string[],
  signal: AbortSignal,
  limits: RetryLimits = patient,
): Promise<Map<string, Item>> {
  const found = new Map<string, Item>();
  const groups = Array.from({ length: Math.ceil(ids.length / perRequest) }, (_, at) =>
    ids.slice(at * perRequest, (at + 1) * perRequest),
  );
  for (let at = 0; at < groups.length; at += atOnce) {
    const some = groups
      .slice(at, at + atOnce)
      .map((group) => readSome(client, collection, group, signal, limits));
    for (const item of (await Promise.all(some)).flat()) found.set(item.id, item);
  }
  return found;
}

async function readSome(
  client: GraphClient,
  collection: Collection,
  ids: readonly string[],
  signal: AbortSignal,
  limits: RetryLimits,
): Promise<readonly Item[]> {
  const list = ids.map((id) => `'${id.replaceAll("'", "''")}'`).join(',');
  const query = `$filter=${encodeURIComponent(`id in (${list})`)}&$select=id,${collection.select.join(',')}`;
  const url = `/v1.0/${collection.name}?${query}`;
  const answer = await client.json({ url, permission: collection.permission, limits }, signal);
  const { items, unreadable } = pageOf(client, collection, answer);
  // whoever is not on it may be on the next page, or be the one without an id
  if (typeof answer['@odata.nextLink'] === 'string' || unreadable > 0)
    throw new RollcallError('source', `${client.host}: asked for some ids, it answers with others`);
  return items.filter(({ removed }) => removed === undefined);
}
