/**
 * What has changed since a cursor: each collection's deltaLink is followed to the next.
 *
 * Promises: an object that is told is told whole: what a page leaves out is read, never taken for empty; one that a round
 * contradicts itself about is read as well, now and with the next changes. Gone is only what a page says is removed, of either
 * kind: `changed` may be restored, and then it is told again. What one round tells as removed and as there keeps what it had,
 * until it is not there in the next round either. A token that has expired, a request to begin again (410), what cannot be read,
 * or too much at once is a doubt.
 */
import { RollcallError } from '../../errors.js';
import type { Change, ChangesReport, Cursor, ReadContext } from '../source.js';
import { LostState, type GraphClient } from './client.js';
import type { Collection, CollectionName } from './collections.js';
import { formatCursor, maxAgain, parseCursor, type Again, type Position } from './cursor.js';
import { readDelta, type Item } from './delta.js';
import { isPartial, toEntry } from './mapping.js';
import type { GraphSourceOptions } from './options.js';
import { readAgain } from './reread.js';

const maxChanges = 100_000;
const maxReread = 5000;
const batchSize = 1000;

export async function* readChanges(
  client: GraphClient,
  collections: readonly Collection[],
  options: GraphSourceOptions,
  context: ReadContext,
  cursor: Cursor,
): AsyncGenerator<readonly Change[], ChangesReport, void> {
  const position = parseCursor(cursor, options.tenantId, client.origin, collections);
  const run = new ChangesRead(client, options, context, cursor);
  return typeof position === 'string' ? run.doubt(position) : yield* run.run(collections, position);
}

/** What a round said of one object. */
interface Told {
  item: Item;
  /** It came more than once, and not the same. */
  contradicted: boolean;
  removedOnce: boolean;
  /** A state in which it was there. */
  there: Item | undefined;
}

class ChangesRead {
  readonly #links: Partial<Record<CollectionName, string>> = {};
  readonly #again: Again[] = [];
  readonly #doubts: string[] = [];
  readonly #parts: string[] = [];
  #done = 0;
  /** A new object may have more than was told of it. */
  #isShort = false;

  constructor(
    readonly client: GraphClient,
    readonly options: GraphSourceOptions,
    readonly context: ReadContext,
    readonly cursor: Cursor,
  ) {}

  async *run(
    collections: readonly Collection[],
    position: Position,
  ): AsyncGenerator<readonly Change[], ChangesReport, void> {
    for (const collection of collections) {
      const told = yield* this.#follow(collection, position.links[collection.name] ?? '');
      if (typeof told === 'string') return this.doubt(told);
      const again = position.again.filter((each) => each.collection === collection.name);
      yield* this.#tell(collection, told, again);
      if (this.#doubts.length > 0) return this.doubt(...this.#doubts);
    }
    const next = formatCursor(this.options.tenantId, { links: this.#links, again: this.#again });
    return { doubts: [], cursor: next, proof: !this.#isShort, description: this.#description() };
  }

  doubt(...doubts: string[]): ChangesReport {
    return { doubts, cursor: this.cursor, proof: false, description: this.#description() };
  }

  /** Yields nothing but signs of life: a page can be long in coming. */
  async *#follow(
    collection: Collection,
    link: string,
  ): AsyncGenerator<readonly Change[], Map<string, Told> | string, void> {
    const told = new Map<string, Told>();
    try {
      const pages = readDelta(this.client, collection, link, this.context.signal);
      for (;;) {
        const step = await pages.next();
        if (step.done === true) {
          this.#links[collection.name] = step.value;
          this.#parts.push(`${String(told.size)} ${collection.name}`);
          return told;
        }
        if (step.value.unreadable > 0) return `an object of ${collection.name} has no readable id`;
        for (const item of step.value.items) note(told, item);
        if (told.size > maxChanges) return `more than ${String(maxChanges)} ${collection.name} have changed`;
        this.#done += step.value.items.length;
        this.context.progress(this.#done);
        yield [];
      }
    } catch (error) {
      if (error instanceof LostState) return `the changes of ${collection.name} are lost (${error.message})`;
      throw error;
    }
  }

  async *#tell(
    collection: Collection,
    told: ReadonlyMap<string, Told>,
    again: readonly Again[],
  ): AsyncGenerator<readonly Change[], void, void> {
    const due = again.filter(({ id }) => !told.has(id));
    const unclear = [...told.values()].filter((each) => isUnclear(each, collection));
    const ids = [...unclear.map(({ item }) => item.id), ...due.map(({ id }) => id)];
    if (ids.length > maxReread) {
      this.#doubts.push(`${String(ids.length)} ${collection.name} would have to be read one by one`);
      return;
    }
    const found = await this.#readAgain(collection, ids);
    if (found === undefined) return;
    const changes = [
      ...[...told.values()].map((each) => this.#changeOf(collection, each, found)),
      ...due.map((each) => this.#changeAgain(collection, each, found)),
    ].filter((change) => change !== undefined);
    if (this.#again.length > maxAgain)
      this.#doubts.push(`${collection.name} change faster than they are read`);
    for (let at = 0; at < changes.length; at += batchSize) yield changes.slice(at, at + batchSize);
  }

  /** Undefined, and a doubt, when they cannot be read: everything can, for it is read in another way. */
  async #readAgain(
    collection: Collection,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, Item> | undefined> {
    try {
      return await readAgain(this.client, collection, ids, this.context.signal);
    } catch (error) {
      this.context.signal.throwIfAborted();
      if (!(error instanceof RollcallError) || error.code !== 'source') throw error;
      this.#doubts.push(`${collection.name} cannot be read by their ids: ${error.message}`);
      return undefined;
    }
  }

  #changeOf(collection: Collection, told: Told, found: ReadonlyMap<string, Item>): Change | undefined {
    const { item, contradicted, removedOnce, there } = told;
    if (contradicted && there !== undefined) {
      const again = { collection: collection.name, id: item.id, removed: removedOnce };
      this.#again.push(again);
      // restored a moment ago, it may not be everywhere yet: what it had stays until it is not there the next time either
      return removedOnce && !found.has(item.id)
        ? this.#entryOf(collection, there, true)
        : this.#changeAgain(collection, again, found);
    }
    if (item.removed !== undefined) return goneOf(collection, item.id);
    if (!isPartial(item, collection)) return this.#entryOf(collection, item);
    const rest = found.get(item.id);
    // what the page told is newer than what a replica may still say
    if (rest !== undefined) return this.#entryOf(collection, overlay(rest, item));
    // created a moment ago, and not everywhere yet: what is known of it counts, and what it had before stays
    this.#again.push({ collection: collection.name, id: item.id, removed: false });
    this.#isShort = true;
    return this.#entryOf(collection, item, true);
  }

  #changeAgain(collection: Collection, again: Again, found: ReadonlyMap<string, Item>): Change | undefined {
    const item = found.get(again.id);
    if (item !== undefined) return this.#entryOf(collection, item);
    if (again.removed) return goneOf(collection, again.id);
    this.#doubts.push(
      `${collection.name} ${again.id} is not to be seen any more, and was not told as removed`,
    );
    return undefined;
  }

  #entryOf(collection: Collection, item: Item, isPart = false): Change {
    const { entry, unusable } = toEntry(item, collection);
    for (const reason of unusable) this.context.problem({ where: entry.where, reason });
    return { kind: 'entry', entry: isPart ? { ...entry, doubtful: true } : entry };
  }

  #description(): string {
    const { tenantId, clientId } = this.options;
    const who = `${this.client.host} as application ${clientId} in tenant ${tenantId}`;
    return this.#parts.length === 0 ? who : `${who}, changed: ${this.#parts.join(', ')}`;
  }
}

function note(told: Map<string, Told>, item: Item): void {
  const known = told.get(item.id);
  const isThere = item.removed === undefined;
  if (known === undefined) {
    const there = isThere ? item : undefined;
    told.set(item.id, { item, contradicted: false, removedOnce: !isThere, there });
    return;
  }
  // learn.microsoft.com/graph/delta-query-overview: an item may come anywhere in the sequence, so that the last need not be the newest
  known.contradicted ||= JSON.stringify(known.item) !== JSON.stringify(item);
  known.removedOnce ||= !isThere;
  if (isThere) known.there = item;
  known.item = item;
}

function isUnclear({ item, contradicted, there }: Told, collection: Collection): boolean {
  return (contradicted && there !== undefined) || (item.removed === undefined && isPartial(item, collection));
}

function overlay(rest: Item, item: Item): Item {
  const told = Object.entries(item.properties).filter(([, value]) => value !== undefined);
  return { ...item, properties: { ...rest.properties, ...Object.fromEntries(told) } };
}

function goneOf({ name }: Collection, id: string): Change {
  return { kind: 'gone', id, where: `${name} ${id}` };
}
