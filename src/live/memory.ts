/** A bounded memory of what was heard, each for a time of its own. The oldest goes first when it is full. */

export interface Memory<T> {
  get(key: string): T | undefined;
  /** For how long it is still good, in ms; 0 when there is nothing. */
  left(key: string): number;
  set(key: string, value: T, forMs: number): void;
  clear(): void;
}

/** `now` in ms, of a clock that never goes back. */
export function createMemory<T>(max: number, now: () => number): Memory<T> {
  const kept = new Map<string, { readonly value: T; readonly until: number }>();

  function find(key: string): { readonly value: T; readonly until: number } | undefined {
    const found = kept.get(key);
    if (found === undefined || found.until > now()) return found;
    kept.delete(key);
    return undefined;
  }

  return {
    get: (key) => find(key)?.value,
    left(key) {
      const found = find(key);
      return found === undefined ? 0 : found.until - now();
    },
    set(key, value, forMs) {
      kept.delete(key);
      if (forMs <= 0) return;
      const [oldest] = kept.keys();
      if (kept.size >= max && oldest !== undefined) kept.delete(oldest);
      kept.set(key, { value, until: now() + forMs });
    },
    clear: () => kept.clear(),
  };
}
