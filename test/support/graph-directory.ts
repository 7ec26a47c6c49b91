/**
 * The directory behind the local Graph server: objects, what was done to them in which order, and who is in the bin.
 *
 * The test changes it; graph-delta.ts and graph-query.ts show it. A property that was never set is absent, one that was
 * emptied is null (api-reference/v1.0/api/user-delta: "Default: return the same properties").
 */
import { randomUUID } from 'node:crypto';

export const graphCollections = ['users', 'groups', 'contacts'] as const;
export type GraphCollection = (typeof graphCollections)[number];
export type Properties = Readonly<Record<string, unknown>>;

interface Stored {
  readonly properties: Record<string, unknown>;
  /** `changed`: in the bin (users and groups for 30 days); `deleted`: for good. */
  removed: 'changed' | 'deleted' | undefined;
}

interface Logged {
  readonly id: string;
  /** The property; `*` for the object itself: created, removed, restored. */
  readonly property: string;
}

export interface Shown {
  readonly id: string;
  readonly removed: 'changed' | 'deleted' | undefined;
  readonly properties: Properties;
}

class Table {
  readonly objects = new Map<string, Stored>();
  readonly log: Logged[] = [];

  show(id: string): Shown | undefined {
    const stored = this.objects.get(id);
    return stored === undefined ? undefined : { id, removed: stored.removed, properties: stored.properties };
  }

  stored(id: string): Stored {
    const stored = this.objects.get(id);
    if (stored === undefined) throw new Error(`the test's directory has no ${id}`);
    return stored;
  }
}

export class GraphDirectory {
  readonly #tables: Record<GraphCollection, Table> = {
    users: new Table(),
    groups: new Table(),
    contacts: new Table(),
  };
  /** What plain queries see instead, as a replica that is behind; undefined: it does not know the object yet. */
  readonly replica = new Map<string, Properties | undefined>();

  add(collection: GraphCollection, properties: Properties, id: string = randomUUID()): string {
    const table = this.#tables[collection];
    table.objects.set(id, { properties: { ...properties }, removed: undefined });
    table.log.push({ id, property: '*' });
    return id;
  }

  /** A user with a mailbox: the primary address, and aliases. */
  addUser(mail: string, aliases: readonly string[] = [], more: Properties = {}): string {
    const proxyAddresses = [`SMTP:${mail}`, ...aliases.map((alias) => `smtp:${alias}`)];
    return this.add('users', {
      mail,
      proxyAddresses,
      userPrincipalName: mail,
      accountEnabled: true,
      ...more,
    });
  }

  set(collection: GraphCollection, id: string, properties: Properties): void {
    const table = this.#tables[collection];
    Object.assign(table.stored(id).properties, properties);
    for (const property of Object.keys(properties)) table.log.push({ id, property });
  }

  /**
   * Into the bin, from which it may come back, where there is one: for users and Microsoft 365 groups, not for other groups and
   * contacts (resources/directory: deletedItems).
   */
  remove(collection: GraphCollection, id: string): void {
    const { groupTypes } = this.#tables[collection].stored(id).properties;
    const isUnified = Array.isArray(groupTypes) && groupTypes.includes('Unified');
    this.#mark(collection, id, collection === 'users' || isUnified ? 'changed' : 'deleted');
  }

  /** For good: directory-deleteditems-delete. */
  purge(collection: GraphCollection, id: string): void {
    this.#mark(collection, id, 'deleted');
  }

  restore(collection: GraphCollection, id: string): void {
    this.#mark(collection, id, undefined);
  }

  #mark(collection: GraphCollection, id: string, removed: Stored['removed']): void {
    const table = this.#tables[collection];
    table.stored(id).removed = removed;
    table.log.push({ id, property: '*' });
  }

  /** The state of the log: everything up to now. */
  position(collection: GraphCollection): number {
    return this.#tables[collection].log.length;
  }

  /** Everything there is, in the order in which it was created. */
  all(collection: GraphCollection): Shown[] {
    const table = this.#tables[collection];
    return [...table.objects.keys()].flatMap((id) => table.show(id) ?? []).filter((each) => !each.removed);
  }

  /** What changed since, of what is tracked: each object once, as it is now. */
  since(collection: GraphCollection, position: number, select: readonly string[]): Shown[] {
    const table = this.#tables[collection];
    const ids = new Set<string>();
    for (let at = position; at < table.log.length; at += 1) {
      const { id, property } = table.log[at] ?? { id: '', property: '' };
      if (property === '*' || select.includes(property)) ids.add(id);
    }
    return [...ids].flatMap((id) => table.show(id) ?? []);
  }

  find(collection: GraphCollection, id: string): Shown | undefined {
    return this.#tables[collection].show(id);
  }
}
