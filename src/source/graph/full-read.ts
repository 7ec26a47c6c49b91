/**
 * Everything there is: the delta query from its beginning, which Microsoft documents for the first synchronisation as well
 * (learn.microsoft.com/graph/delta-query-users).
 *
 * Why not a plain list, with a `$deltatoken=latest` taken before it: list and token may come from replicas of different age, and
 * what the list had not seen yet the token may count as told. Here the list and the link at its end are of one account.
 *
 * An object may come several times, in other states (delta-query-overview, the note on repeated entities), and what was yielded
 * cannot be taken back. So every state is yielded, which may claim too much, never too little; and objects that came in
 * different states are read again with the next changes, which replace what is claimed.
 *
 * Complete: every chain ended in a deltaLink, every object could be read, and the directory counts no more objects than came.
 */
import type { Entry, ReadContext, ReadReport } from '../source.js';
import { LostState, type GraphClient } from './client.js';
import { collectionNames, type Collection, type CollectionName } from './collections.js';
import { formatCursor, maxAgain, type Again } from './cursor.js';
import { firstDelta, readDelta, type DeltaPage, type Item } from './delta.js';
import { explainLost } from './explain.js';
import { patient } from './http.js';
import { isPartial, toEntry } from './mapping.js';
import type { GraphSourceOptions } from './options.js';
import { Seen } from './seen.js';

/** Rounds of changes read after the first, when the directory counts more than came: they may just have been created. */
const catchUps = 2;
/** So many may be deleted while they are read before a falling count is a doubt. */
const deletedMeanwhile = { floor: 10, share: 0.01 };

const uncovered =
  'Graph knows neither public folders nor dynamic distribution groups: their addresses must come from another source';

function notesOf({ include }: GraphSourceOptions): string[] {
  const missing = collectionNames.filter((name) => !include.includes(name));
  if (missing.length === 0) return [uncovered];
  return [
    uncovered,
    `${missing.join(' and ')} are not read (include): their addresses must come from another source`,
  ];
}

export async function* readAll(
  client: GraphClient,
  collections: readonly Collection[],
  options: GraphSourceOptions,
  context: ReadContext,
): AsyncGenerator<readonly Entry[], ReadReport, void> {
  return yield* new FullRead(client, collections, options, context).run();
}

interface Round {
  readonly start: string;
  readonly seen: Seen;
  readonly total: number;
  /** Everything there is; later rounds tell what has changed. */
  readonly isFirst: boolean;
}

class FullRead {
  readonly #reasons: string[] = [];
  readonly #again = new Map<string, Again>();
  readonly #links: Partial<Record<CollectionName, string>> = {};
  readonly #parts: string[] = [];
  #done = 0;
  #withoutAddress = 0;
  #unreadable = 0;
  #ownCount = 0;

  constructor(
    readonly client: GraphClient,
    readonly collections: readonly Collection[],
    readonly options: GraphSourceOptions,
    readonly context: ReadContext,
  ) {}

  async *run(): AsyncGenerator<readonly Entry[], ReadReport, void> {
    const counts = new Map<CollectionName, number>();
    for (const collection of this.collections) counts.set(collection.name, await this.#count(collection));
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    for (const collection of this.collections)
      yield* this.#readCollection(collection, counts.get(collection.name) ?? 0, total);
    return this.#report();
  }

  async *#readCollection(
    collection: Collection,
    before: number,
    total: number,
  ): AsyncGenerator<readonly Entry[], void, void> {
    const seen = new Seen();
    let link = yield* this.#follow(collection, { start: firstDelta(collection), seen, total, isFirst: true });
    let after = await this.#count(collection);
    for (let round = 0; round < catchUps && seen.present < after; round += 1) {
      link = yield* this.#follow(collection, { start: link, seen, total, isFirst: false });
      after = await this.#count(collection);
    }
    this.#links[collection.name] = link;
    this.#ownCount += after;
    this.#parts.push(`${String(seen.present)} ${collection.name}`);
    this.#judge(collection, seen.present, before, after);
  }

  /** learn.microsoft.com/graph/api/user-list, example 3. The count comes from an index that is some minutes behind. */
  #count({ name, permission }: Collection): Promise<number> {
    return this.client.count(
      { url: `/v1.0/${name}/$count`, permission, limits: patient },
      this.context.signal,
    );
  }

  #judge({ name }: Collection, present: number, before: number, after: number): void {
    const allowed = Math.max(deletedMeanwhile.floor, Math.ceil(before * deletedMeanwhile.share));
    if (present < after) {
      this.#reasons.push(`the directory counts ${String(after)} ${name}, and ${String(present)} came`);
    } else if (present + allowed < before) {
      this.#reasons.push(
        `the directory counted ${String(before)} ${name} at first, and ${String(present)} came`,
      );
    }
  }

  async *#follow(collection: Collection, round: Round): AsyncGenerator<readonly Entry[], string, void> {
    const pages = readDelta(this.client, collection, round.start, this.context.signal);
    for (;;) {
      const step = await this.#next(pages);
      if (step.done === true) return step.value;
      this.#unreadable += step.value.unreadable;
      const entries = step.value.items.flatMap((item) => this.#take(collection, item, round));
      this.#done += step.value.items.length;
      this.context.progress(this.#done, Math.max(round.total, this.#done));
      // an empty one as well, for a sign of life: there may be a hundred thousand groups without an address
      yield entries;
    }
  }

  async #next(pages: AsyncGenerator<DeltaPage, string, void>): Promise<IteratorResult<DeltaPage, string>> {
    try {
      return await pages.next();
    } catch (error) {
      throw error instanceof LostState ? explainLost(this.client.host, error) : error;
    }
  }

  #take(collection: Collection, item: Item, { seen, isFirst }: Round): Entry[] {
    if (item.removed !== undefined) {
      // one that was deleted before it was met is no matter
      if (seen.note(item.id, undefined) === 'other') this.#readAgain(collection, item.id, true);
      return [];
    }
    const { entry: told, unusable } = toEntry(item, collection);
    // absent is "never set" in the first round only (api-reference/v1.0/api/user-delta): later it may be as it was
    const isShort = !isFirst && isPartial(item, collection);
    if (isShort) this.#readAgain(collection, item.id, false);
    const entry = isShort ? { ...told, doubtful: true } : told;
    const met = seen.note(item.id, JSON.stringify([entry.disabled, entry.addresses]));
    if (met === 'other') this.#readAgain(collection, item.id, false);
    if (met !== 'same') for (const reason of unusable) this.context.problem({ where: entry.where, reason });
    if (met === 'new' && entry.addresses.length === 0) this.#withoutAddress += 1;
    return entry.addresses.length > 0 || entry.doubtful === true ? [entry] : [];
  }

  #readAgain({ name }: Collection, id: string, removed: boolean): void {
    const key = `${name}/${id}`;
    if (this.#again.size <= maxAgain || this.#again.has(key))
      this.#again.set(key, { collection: name, id, removed });
  }

  #report(): ReadReport {
    const { client, options } = this;
    const reasons = [...this.#reasons];
    if (this.#unreadable > 0) reasons.push(`${String(this.#unreadable)} objects have no readable id`);
    const tooMany = this.#again.size > maxAgain;
    if (tooMany) reasons.push(`more than ${String(maxAgain)} objects changed while they were read`);
    const position = { links: this.#links, again: [...this.#again.values()] };
    const without = `${String(this.#withoutAddress)} of them without an address`;
    const who = `${client.host} as application ${options.clientId} in tenant ${options.tenantId}`;
    return {
      complete: reasons.length === 0,
      reasons,
      description: [who, ...this.#parts, ...(this.#withoutAddress > 0 ? [without] : [])].join(', '),
      notes: notesOf(options),
      cursor: tooMany ? undefined : formatCursor(options.tenantId, position),
      ownCount: this.#ownCount,
    };
  }
}
