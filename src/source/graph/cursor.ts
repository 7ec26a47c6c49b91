/**
 * Where the next changes of a tenant begin: one deltaLink for each collection, and the objects to be read again then.
 *
 * A deltaLink holds a state token that is good for nothing without an access token, so the text is no secret; it is not
 * logged all the same. Refuses a text that is not ours, of another tenant, or with links that lead elsewhere.
 */
import type { Cursor } from '../source.js';
import { collectionNames, type Collection, type CollectionName } from './collections.js';
import { isRecord } from './graph-error.js';

/** An object whose claims may hold too much: it is read again with the next changes. */
export interface Again {
  readonly collection: CollectionName;
  readonly id: string;
  /** Its deletion was seen: when it is not there, it is gone. */
  readonly removed: boolean;
}

export interface Position {
  readonly links: Readonly<Partial<Record<CollectionName, string>>>;
  readonly again: readonly Again[];
}

/** So many objects are read again with the next changes; more, and everything is. */
export const maxAgain = 2000;

const version = 1;

export function formatCursor(tenantId: string, { links, again }: Position): Cursor {
  const rows = again.map(({ collection, id, removed }) => [collection, id, removed ? 1 : 0]);
  return JSON.stringify({ version, tenant: tenantId.toLowerCase(), links, again: rows });
}

/** Why the cursor cannot be used, as text; or the position. */
export function parseCursor(
  cursor: Cursor,
  tenantId: string,
  origin: string,
  collections: readonly Collection[],
): Position | string {
  const parsed = parse(cursor);
  if (!isRecord(parsed) || parsed['version'] !== version) return 'the stored position cannot be read';
  if (parsed['tenant'] !== tenantId.toLowerCase()) return 'the stored position is of another tenant';
  const { links } = parsed;
  const usable: Partial<Record<CollectionName, string>> = {};
  for (const { name } of collections) {
    const link = isRecord(links) ? links[name] : undefined;
    if (typeof link !== 'string' || !isDeltaLink(link, name, origin))
      return `the stored position has no link for ${name}`;
    usable[name] = link;
  }
  return { links: usable, again: againOf(parsed['again']) };
}

function isDeltaLink(link: string, name: CollectionName, origin: string): boolean {
  if (!URL.canParse(link)) return false;
  const { origin: from, pathname } = new URL(link);
  return from === new URL(origin).origin && pathname.startsWith(`/v1.0/${name}/`);
}

function againOf(rows: unknown): Again[] {
  if (!Array.isArray(rows)) return [];
  return rows.flatMap((row: unknown) => {
    const [name, id, removed] = Array.isArray(row) ? (row as readonly unknown[]) : [];
    const collection = collectionNames.find((each) => each === name);
    if (collection === undefined || typeof id !== 'string') return [];
    return [{ collection, id, removed: removed === 1 }];
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
