/**
 * The collections of Graph that hold recipients, and exactly the properties that are asked of them.
 *
 * A change of a property that is not asked for is not told (learn.microsoft.com/graph/delta-query-overview, "Optional query
 * parameters"), so that each one more costs changes that mean nothing here.
 */
import type { EntryKind } from '../source.js';

export const collectionNames = ['users', 'groups', 'contacts'] as const;
export type CollectionName = (typeof collectionNames)[number];

export interface Collection {
  readonly name: CollectionName;
  readonly kind: EntryKind;
  /** The least application permission that reads it. */
  readonly permission: string;
  /** Properties that hold addresses, in the order in which they are named for one that several hold. */
  readonly addresses: readonly string[];
  /** What is asked for, besides `id`, which always comes. */
  readonly select: readonly string[];
}

export interface CollectionOptions {
  readonly include: readonly CollectionName[];
  readonly userPrincipalName: boolean;
  readonly respectDisabled: boolean;
}

const kinds = { users: 'user', groups: 'group', contacts: 'contact' } as const satisfies Record<
  CollectionName,
  EntryKind
>;

/** api-reference/v1.0/api/{user,group,orgcontact}-delta: "Permissions", application, least privileged. */
export const permissions = {
  users: 'User.Read.All',
  groups: 'GroupMember.Read.All',
  contacts: 'OrgContact.Read.All',
} as const satisfies Record<CollectionName, string>;

export function collectionsOf(options: CollectionOptions): Collection[] {
  return collectionNames
    .filter((name) => options.include.includes(name))
    .map((name) => {
      const isUsers = name === 'users';
      const addresses = [
        'proxyAddresses',
        'mail',
        ...(isUsers && options.userPrincipalName ? ['userPrincipalName'] : []),
      ];
      const select = [...addresses, ...(isUsers && options.respectDisabled ? ['accountEnabled'] : [])];
      return { name, kind: kinds[name], permission: permissions[name], addresses, select };
    });
}
