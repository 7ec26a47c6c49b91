/**
 * Which objects a read has met, and in what state: 12 bytes each, so that a million of them fit into a few megabytes.
 *
 * An object and its state are kept as hashes. Two objects that share one by accident look like one that changed: it is read
 * again and counted once, and nobody is lost by that. Answers are never "skip it".
 */
const emptyAt = 0;
const gone = 0;
const firstSlots = 1024;
const fullest = 0.6;

export class Seen {
  #high = new Uint32Array(firstSlots);
  /** Never 0 in a slot that is taken. */
  #low = new Uint32Array(firstSlots);
  #state = new Uint32Array(firstSlots);
  #used = 0;
  #present = 0;

  /** Objects met, without those met as removed last. */
  get present(): number {
    return this.#present;
  }

  /** Notes that an object was met; `state` is any text that is equal for equal states, undefined when it is removed. */
  note(id: string, state: string | undefined): 'new' | 'same' | 'other' {
    if (this.#used + 1 > this.#high.length * fullest) this.#grow();
    const [high, low] = hash64(id);
    const slot = this.#slotOf(high, low);
    const now = state === undefined ? gone : (hash64(state)[0] | 1) >>> 0;
    const isNew = this.#low[slot] === emptyAt;
    const before = this.#state[slot] ?? gone;
    this.#high[slot] = high;
    this.#low[slot] = low;
    this.#state[slot] = now;
    if (isNew) this.#used += 1;
    this.#present += Number(now !== gone) - Number(!isNew && before !== gone);
    if (isNew) return 'new';
    return before === now ? 'same' : 'other';
  }

  #slotOf(high: number, low: number): number {
    const mask = this.#high.length - 1;
    let slot = (low ^ Math.imul(high, 0x9e3779b1)) & mask;
    while (this.#low[slot] !== emptyAt && (this.#low[slot] !== low || this.#high[slot] !== high))
      slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const [high, low, state] = [this.#high, this.#low, this.#state];
    const slots = high.length * 2;
    this.#high = new Uint32Array(slots);
    this.#low = new Uint32Array(slots);
    this.#state = new Uint32Array(slots);
    for (const [at, each] of low.entries()) {
      if (each === emptyAt) continue;
      const slot = this.#slotOf(high[at] ?? 0, each);
      this.#high[slot] = high[at] ?? 0;
      this.#low[slot] = each;
      this.#state[slot] = state[at] ?? gone;
    }
  }
}

/** 63 bits of any text, well mixed (after cyrb53); no protection against somebody who seeks collisions, and none needed. */
function hash64(text: string): [number, number] {
  let first = 0xdeadbeef;
  let second = 0x41c6ce57;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    first = Math.imul(first ^ code, 2654435761);
    second = Math.imul(second ^ code, 1597334677);
  }
  first = Math.imul(first ^ (first >>> 16), 2246822507) ^ Math.imul(second ^ (second >>> 13), 3266489909);
  second = Math.imul(second ^ (second >>> 16), 2246822507) ^ Math.imul(first ^ (first >>> 13), 3266489909);
  return [first >>> 0, (second | 1) >>> 0];
}
