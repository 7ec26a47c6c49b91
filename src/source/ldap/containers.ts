/**
 * Containers that searches with an overlap show again and again: with the mark of their last change, so that each change of
 * one is followed once. A bounded number; one that does not fit is followed once more.
 */
import type { SearchEntry } from 'ldapts';
import { firstValue } from './attribute.js';
import { holdsOthers } from './touched.js';

const maxKept = 1000;

export class Containers {
  readonly #marks = new Map<string, string>();

  /** `attribute` bears the mark. */
  constructor(readonly attribute: string) {}

  see(found: SearchEntry): void {
    const mark = firstValue(found, this.attribute);
    if (mark !== undefined && this.#marks.size < maxKept && holdsOthers(found))
      this.#marks.set(nameOf(found), mark);
  }

  /** Those seen, by name; without those whose mark may come again (a change in the same second). */
  kept(isSettled: (mark: string) => boolean): Record<string, string> {
    return Object.fromEntries([...this.#marks].filter(([, mark]) => isSettled(mark)));
  }

  /** Whether it was kept with the mark that it bears. */
  isAmong(container: SearchEntry, kept: Readonly<Record<string, string>>): boolean {
    const mark = firstValue(container, this.attribute);
    return mark !== undefined && kept[nameOf(container)] === mark;
  }
}

/** One that was renamed or moved is another one. */
function nameOf(container: SearchEntry): string {
  return container.name.toLowerCase();
}
