/** Under which spellings a listed local part has to be asked for, in a domain whose local parts differ by case. */
import type { LookupView } from '../lookup/reader.js';
import type { DomainPolicy } from '../policy/domain-table.js';
import { spellingSeparator } from '../store/store.js';

/** `local` is folded. Without `caseSensitive` it speaks for all of its spellings. */
export function spellingsOf(
  lookup: LookupView,
  policy: DomainPolicy,
  local: string,
): readonly [string, ...string[]] {
  if (!policy.caseSensitive) return [local];
  const spelled = new Set<string>();
  for (const domain of [policy.domain, policy.aliasOf]) {
    if (domain === undefined) continue;
    for (const { spellings } of lookup.find(policy.tenant, `${local}@${domain}`)) {
      for (const text of spellings?.split(spellingSeparator) ?? [])
        spelled.add(text.slice(0, text.lastIndexOf('@')));
    }
  }
  return [local, ...spelled];
}
