/**
 * The pages of a delta query (learn.microsoft.com/graph/delta-query-overview), from a first question or a deltaLink to the next
 * deltaLink.
 *
 * Promises: ends only at a deltaLink; what is between is yielded page by page, empty pages too. Refuses a page with both
 * links or none, links that lead in a circle, and a chain without end.
 */
import { RollcallError } from '../../errors.js';
import type { GraphClient } from './client.js';
import type { Collection } from './collections.js';
import { isRecord } from './graph-error.js';
import { patient, type RetryLimits } from './http.js';

/** One object, as a page has it. */
export interface Item {
  readonly id: string;
  /** `changed`: deleted, and may be restored; `deleted`: for good. */
  readonly removed: 'changed' | 'deleted' | undefined;
  /** Only what came: a property that is absent is not one that is empty. */
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface DeltaPage {
  readonly items: readonly Item[];
  /** Things on the page that are no object with an id. */
  readonly unreadable: number;
}

const maxPages = 1_000_000;
/** Empty pages in a row: the documentation knows some, not so many. */
const maxEmpty = 10_000;

/** The first question: everything there is. */
export function firstDelta({ name, select }: Collection): string {
  return `/v1.0/${name}/delta?$select=${select.join(',')}`;
}

/** Nothing, and a link to what changes from now on ("sync from now"). */
export function latestDelta(collection: Collection): string {
  return `${firstDelta(collection)}&$deltatoken=latest`;
}

/** Returns the deltaLink. Throws what GraphClient throws. */
export async function* readDelta(
  client: GraphClient,
  collection: Collection,
  start: string,
  signal: AbortSignal,
  limits: RetryLimits = patient,
): AsyncGenerator<DeltaPage, string, void> {
  const { permission } = collection;
  let url = client.resolve(start);
  let circle = { link: url, after: 1 };
  let empty = 0;
  for (let pages = 1; pages <= maxPages; pages += 1) {
    const answer = await client.json({ url, permission, limits }, signal);
    const next = linkOf(client, answer, '@odata.nextLink');
    const delta = linkOf(client, answer, '@odata.deltaLink');
    if ((next === undefined) === (delta === undefined))
      throw broken(
        client,
        collection,
        next === undefined ? 'a page without a link' : 'a page with two links',
      );
    if (next === circle.link) throw broken(client, collection, 'pages that lead in a circle');
    // Brent: one remembered link, moved on at each power of two, finds a circle of any length
    if (pages === circle.after) circle = { link: next ?? '', after: pages * 2 };
    const page = pageOf(client, collection, answer);
    empty = page.items.length + page.unreadable === 0 ? empty + 1 : 0;
    if (empty > maxEmpty)
      throw broken(client, collection, `more than ${String(maxEmpty)} empty pages in a row`);
    yield page;
    if (delta !== undefined) return delta;
    url = next ?? '';
  }
  throw broken(client, collection, `more than ${String(maxPages)} pages`);
}

function linkOf(
  client: GraphClient,
  answer: Readonly<Record<string, unknown>>,
  name: string,
): string | undefined {
  const link = answer[name];
  return typeof link === 'string' && link !== '' ? client.resolve(link) : undefined;
}

export function pageOf(
  client: GraphClient,
  collection: Collection,
  answer: Readonly<Record<string, unknown>>,
): DeltaPage {
  const { value } = answer;
  if (!Array.isArray(value)) throw broken(client, collection, 'a page without a list');
  const items = value.map(itemOf);
  const readable = items.filter((item) => item !== undefined);
  return { items: readable, unreadable: items.length - readable.length };
}

function itemOf(value: unknown): Item | undefined {
  if (!isRecord(value)) return undefined;
  const { id, '@removed': removed } = value;
  if (typeof id !== 'string' || !/^[\x21-\x7e]{1,128}$/.test(id)) return undefined;
  return { id: id.toLowerCase(), removed: reasonOf(removed), properties: value };
}

/** Whatever the reason is called, the object is none of the collection any more. */
function reasonOf(removed: unknown): Item['removed'] {
  if (removed === undefined || removed === null) return undefined;
  return isRecord(removed) && removed['reason'] === 'changed' ? 'changed' : 'deleted';
}

function broken(client: GraphClient, { name }: Collection, what: string): RollcallError {
  return new RollcallError('source', `${client.host}: the changes of ${name} have ${what}`, {
    hint: 'That is against its documentation. Does something in between answer instead of Graph?',
  });
}
