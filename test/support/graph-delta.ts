/**
 * The delta queries of the local Graph server (learn.microsoft.com/graph/delta-query-overview).
 *
 * - `$select` is given in the first request only, and kept in the tokens ("Optional query parameters");
 * - `$top`, `$orderby` and `$expand` are not supported (the same);
 * - pages may be empty, have any size, repeat objects, and come in any order: the test arranges them with `arrange`;
 * - what changes while a round is paged comes again at its end (the note on repeated entities);
 * - a removed object is its id and `@removed` ("Resource representation");
 * - a deltaLink lives for seven days, then 400 syncStateNotFound ("Token duration"); after `reset`, 410 with Location
 *   ("Synchronization reset"); `$deltatoken=latest` gives a link and nothing else (the note on "sync from now").
 */
import { randomBytes } from 'node:crypto';
import type { GraphCollection, GraphDirectory, Shown } from './graph-directory.js';
import { fail, selected, type Reply } from './graph-reply.js';

type Item = Readonly<Record<string, unknown>>;
type Pages = readonly (readonly Item[])[];

interface State {
  readonly kind: 'skip' | 'delta';
  readonly collection: GraphCollection;
  readonly select: readonly string[];
  readonly issued: number;
  /** The log is told up to here. */
  readonly position: number;
  /** Pages that are still to come. */
  readonly pages: Pages;
}

const week = 7 * 86_400_000;
/** api-reference/v1.0/api/user-delta: without `$select` a default set, in which proxyAddresses is not. */
const defaults = ['displayName', 'givenName', 'jobTitle', 'mail', 'surname', 'userPrincipalName'];

export class GraphDelta {
  pageSize = 100;
  /** Rearranges the pages of the next rounds, as the real one may. */
  arrange: (pages: Pages, collection: GraphCollection) => Pages = (pages) => pages;
  /** Called before each page: a test changes the directory meanwhile. */
  beforePage: (collection: GraphCollection, pagesLeft: number) => void = () => undefined;
  readonly #states = new Map<string, State>();

  constructor(
    readonly directory: GraphDirectory,
    readonly origin: () => string,
    readonly now: () => number,
  ) {}

  /** Every token given so far is answered with 410. */
  reset(): void {
    for (const [token, state] of this.#states) this.#states.set(token, { ...state, issued: Number.NaN });
  }

  answer(collection: GraphCollection, query: URLSearchParams): Reply {
    const unsupported = ['$top', '$orderby', '$expand', '$count'].find((name) => query.has(name));
    if (unsupported !== undefined)
      return fail(400, 'Request_UnsupportedQuery', `${unsupported} is not supported with delta query.`);
    const token = query.get('$deltatoken') ?? query.get('$skiptoken') ?? '';
    if (token === '') return this.#page(this.#first(collection, query));
    if (token === 'latest') return this.#link({ ...this.#first(collection, query), pages: [] }, [], 'delta');
    const state = this.#states.get(token);
    if (state?.collection !== collection) return fail(400, 'Request_BadRequest', 'Badly formed token.');
    if (Number.isNaN(state.issued)) return this.#gone(state);
    if (this.now() - state.issued > week) {
      const message =
        'The sync state generation is not found. The delta token is expired and data must be synchronized again.';
      return fail(400, 'syncStateNotFound', message);
    }
    return this.#page(state.kind === 'delta' ? this.#changes(state) : state);
  }

  #gone({ collection }: State): Reply {
    const headers = { Location: `${this.origin()}/v1.0/${collection}/delta?$deltatoken=` };
    return fail(410, 'resyncRequired', 'Resync is required.', headers);
  }

  #first(collection: GraphCollection, query: URLSearchParams): State {
    const select = query.get('$select')?.split(',') ?? defaults;
    const pages = this.#paged(collection, this.directory.all(collection), select);
    const position = this.directory.position(collection);
    return { kind: 'skip', collection, select, issued: this.now(), position, pages };
  }

  #changes(state: State): State {
    const { collection, select, position } = state;
    const pages = this.#paged(collection, this.directory.since(collection, position, select), select);
    return { ...state, kind: 'skip', position: this.directory.position(collection), pages };
  }

  #paged(collection: GraphCollection, shown: readonly Shown[], select: readonly string[]): Pages {
    const items = shown.map((each) => itemOf(each, select));
    const pages = Array.from({ length: Math.ceil(items.length / this.pageSize) }, (_, at) =>
      items.slice(at * this.pageSize, (at + 1) * this.pageSize),
    );
    return this.arrange(pages, collection);
  }

  #page(state: State): Reply {
    this.beforePage(state.collection, state.pages.length);
    const [page = [], ...rest] = state.pages;
    if (rest.length > 0) return this.#link({ ...state, pages: rest }, page, 'skip');
    const { collection, select, position } = state;
    const meanwhile = this.directory.since(collection, position, select);
    if (meanwhile.length === 0) return this.#link({ ...state, pages: [] }, page, 'delta');
    const more = { ...state, position: this.directory.position(collection) };
    return this.#link({ ...more, pages: this.#paged(collection, meanwhile, select) }, page, 'skip');
  }

  #link(state: State, value: readonly Item[], kind: State['kind']): Reply {
    const token = randomBytes(24).toString('base64url');
    this.#states.set(token, { ...state, kind, issued: this.now() });
    const { collection } = state;
    const name = kind === 'delta' ? '@odata.deltaLink' : '@odata.nextLink';
    const url = `${this.origin()}/v1.0/${collection}/delta?$${kind}token=${token}`;
    const context = `${this.origin()}/v1.0/$metadata#${collection}(${state.select.join(',')})`;
    return { status: 200, body: { '@odata.context': context, [name]: url, value } };
  }
}

function itemOf({ id, removed, properties }: Shown, select: readonly string[]): Item {
  if (removed !== undefined) return { id, '@removed': { reason: removed } };
  return { ...selected(properties, select), id };
}
