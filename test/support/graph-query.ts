/**
 * Plain queries of the local Graph server: `/users/$count`, and `/users?$filter=…` with the few filters that Rollcall uses.
 *
 * - counting needs `ConsistencyLevel: eventual` (graph/aad-advanced-queries, "Error handling"), and is answered in plain text
 *   (api-reference/v1.0/api/user-list, example 3);
 * - without `$select` a default set comes, in which proxyAddresses is not (the same page);
 * - strings are compared without their case; `in` takes 15 values; a quote within a string is doubled (OData 4.01 URL §5.1.1);
 * - queries may be answered by a replica that is behind (api-reference/v1.0/api/user-list, the note).
 */
import type { GraphCollection, GraphDirectory, Shown } from './graph-directory.js';
import { fail, selected, type Reply } from './graph-reply.js';

const defaults = ['displayName', 'mail', 'userPrincipalName'];

export class GraphQueries {
  /** What the index says instead, being minutes behind. */
  readonly counts: Partial<Record<GraphCollection, number>> = {};
  /** Objects a page; what there is besides is behind a nextLink (graph/paging). */
  pageSize = 100;
  /** A filter that is ignored without an error (graph/aad-advanced-queries, "Error handling"). */
  ignoreFilters = false;

  constructor(
    readonly directory: GraphDirectory,
    readonly origin: () => string,
  ) {}

  count(collection: GraphCollection, eventual: boolean): Reply {
    if (!eventual) return fail(400, 'Request_BadRequest', '$count is not currently supported.');
    const count = this.counts[collection] ?? this.directory.all(collection).length;
    return { status: 200, headers: { 'content-type': 'text/plain' }, body: String(count) };
  }

  list(collection: GraphCollection, query: URLSearchParams): Reply {
    const select = query.get('$select')?.split(',') ?? defaults;
    const filter = query.get('$filter');
    const matches = filter === null || this.ignoreFilters ? () => true : parseFilter(filter);
    if (matches === undefined)
      return fail(400, 'Request_UnsupportedQuery', 'Unsupported or invalid query filter clause specified.');
    const found = this.#seen(collection).filter(matches);
    const page = found.slice(0, this.pageSize);
    const value = page.map(({ id, properties }) => ({ ...nullsFor(properties, select), id }));
    const next = `${this.origin()}/v1.0/${collection}?$skiptoken=${page.at(-1)?.id ?? ''}`;
    return { status: 200, body: { value, ...(found.length > page.length && { '@odata.nextLink': next }) } };
  }

  #seen(collection: GraphCollection): Shown[] {
    const { directory } = this;
    return directory.all(collection).flatMap((each) => {
      if (!directory.replica.has(each.id)) return [each];
      const properties = directory.replica.get(each.id);
      return properties === undefined ? [] : [{ ...each, properties }];
    });
  }
}

/** A plain read names every selected property: null, or an empty list, where there is none. */
function nullsFor(
  properties: Readonly<Record<string, unknown>>,
  select: readonly string[],
): Record<string, unknown> {
  const names = select.filter((name) => name !== 'id');
  const empty = Object.fromEntries(names.map((name) => [name, name === 'proxyAddresses' ? [] : null]));
  return { ...empty, ...selected(properties, names) };
}

function parseFilter(filter: string): ((shown: Shown) => boolean) | undefined {
  const any = /^proxyAddresses\/any\((\w+):\1 eq '((?:[^']|'')*)'\)$/.exec(filter);
  if (any !== null) return ({ properties }) => asList(properties['proxyAddresses']).some(same(any[2]));
  const equal = /^(mail|userPrincipalName) eq '((?:[^']|'')*)'$/.exec(filter);
  if (equal !== null) return ({ properties }) => same(equal[2])(properties[equal[1] ?? '']);
  const among = /^id in \(((?:'[^']*',?)+)\)$/.exec(filter);
  const ids = among?.[1]?.split(',').map((each) => each.slice(1, -1));
  if (ids === undefined || ids.length > 15) return undefined;
  return ({ id }) => ids.includes(id);
}

function same(quoted = ''): (value: unknown) => boolean {
  const wanted = quoted.replaceAll("''", "'").toLowerCase();
  return (value) => typeof value === 'string' && value.toLowerCase() === wanted;
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
