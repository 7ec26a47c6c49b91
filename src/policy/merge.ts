/**
 * Merging claims: all slots of a key, over the sources that speak for its domain, into one status. Pure.
 *
 * Active if any claim is active; internal-only only if every active claim says so; disabled only if every claim says so.
 * A claim that has gone counts only when no other is left.
 */
import { slotFlags } from '../lookup/schema.js';
import type { Slot } from '../lookup/snapshot.js';
import { spellingSeparator } from '../store/store.js';

export type Status =
  | { readonly kind: 'active' | 'internal-only' | 'disabled' | 'absent' }
  | { readonly kind: 'removed'; readonly removedAt: number };

const active: Status = { kind: 'active' };
const internalOnly: Status = { kind: 'internal-only' };
const disabled: Status = { kind: 'disabled' };
const absent: Status = { kind: 'absent' };

/** `exactKey` narrows to claims spelled just so, for domains whose local parts are case-sensitive. */
export function mergeSlots(
  slots: readonly Slot[],
  sources: readonly string[],
  key: string,
  exactKey?: string,
): Status {
  let sawDisabled = false;
  let sawInternal = false;
  let removedAt = -1;
  for (const slot of slots) {
    if (!sources.includes(slot.source)) continue;
    if ((slot.flags & slotFlags.removed) !== 0) {
      removedAt = Math.max(removedAt, slot.removedAt ?? -1);
      continue;
    }
    if (exactKey !== undefined && !isSpelled(slot, key, exactKey)) continue;
    if ((slot.flags & slotFlags.disabled) !== 0) sawDisabled = true;
    else if ((slot.flags & slotFlags.internalOnly) !== 0) sawInternal = true;
    else return active;
  }
  if (sawInternal) return internalOnly;
  if (sawDisabled) return disabled;
  return removedAt >= 0 ? { kind: 'removed', removedAt } : absent;
}

function isSpelled(slot: Slot, key: string, exactKey: string): boolean {
  if (slot.spellings === null) return exactKey === key;
  return slot.spellings.split(spellingSeparator).includes(exactKey);
}
