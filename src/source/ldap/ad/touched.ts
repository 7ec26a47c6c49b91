/** Which objects have been touched since a cursor: their objectGUIDs, no more; what they are now is read afterwards. */
import type { SearchEntry } from 'ldapts';
import { guidText } from '../guid.js';
import type { AdCursor } from './cursor.js';

export interface Touch {
  /** Its tombstone was seen: the object was deleted. */
  readonly deleted: boolean;
  /** DN, for messages. */
  readonly where: string;
}

export interface Touched {
  readonly objects: ReadonlyMap<string, Touch>;
  /** Why these may not be all; empty when they are. */
  readonly doubts: readonly string[];
  /** After these. */
  readonly cursor: AdCursor;
  /** This account would have seen deletions. */
  readonly deletionsSeen: boolean;
}

/** Gathers touched objects up to a bound: beyond it a read of everything is cheaper. */
export class TouchedObjects {
  readonly objects = new Map<string, Touch>();
  #withoutId = 0;

  constructor(readonly limit: number) {}

  add(entries: readonly SearchEntry[]): void {
    for (const entry of entries) {
      const guid = guidOf(entry);
      if (guid === undefined) this.#withoutId += 1;
      else this.objects.set(guid, { deleted: isDeleted(entry), where: entry.name });
      if (this.tooMany) return;
    }
  }

  get tooMany(): boolean {
    return this.objects.size > this.limit;
  }

  doubts(): string[] {
    return [
      ...(this.tooMany ? [`more than ${String(this.limit)} objects have changed`] : []),
      ...(this.#withoutId > 0
        ? [`${String(this.#withoutId)} changed objects have no readable objectGUID`]
        : []),
    ];
  }
}

export function guidOf(entry: SearchEntry): string | undefined {
  return guidText(entry.attributes.find(({ type }) => type.toLowerCase() === 'objectguid')?.parsedBuffers[0]);
}

function isDeleted(entry: SearchEntry): boolean {
  const [value] = entry.attributes.find(({ type }) => type.toLowerCase() === 'isdeleted')?.values ?? [];
  return String(value).toLowerCase() === 'true';
}
