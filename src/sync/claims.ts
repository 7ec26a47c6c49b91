/**
 * From one entry of a source to its claims. Promises: every address gets the key that lookup will use; one claim per object and
 * key; an address outside the scope never becomes a claim.
 */
import { exactKeyOf, keyOf } from '../address/key.js';
import { parseInternal, parseMailbox, type Mailbox } from '../address/mailbox.js';
import type { Entry } from '../source/source.js';
import { claimFlags, spellingSeparator, type StagedClaim } from '../store/store.js';
import type { Scope } from './scope.js';
import type { Tally } from './tally.js';

export interface EntryClaims {
  readonly claims: readonly StagedClaim[];
  readonly doubtful: boolean;
}

/** The claims of one entry: each key once, under the first attribute that names it, with every spelling of it. */
export function claimsOf(entry: Entry, scope: Scope, tally: Tally): EntryClaims {
  const claims = new Map<string, StagedClaim>();
  const flags =
    (entry.disabled ? claimFlags.disabled : 0) | (entry.internalOnly ? claimFlags.internalOnly : 0);
  let doubtful = entry.doubtful ?? false;
  for (const { value, attribute } of entry.addresses) {
    const mailbox = mailboxOf(value);
    if (mailbox === undefined) {
      tally.problem({
        where: entry.where,
        reason: `${attribute}: "${value.slice(0, 100)}" is not an address`,
      });
      doubtful = true;
      continue;
    }
    const covered = scope.coveredBy(mailbox.domain);
    if (covered === undefined) {
      tally.outside(mailbox.domain);
      continue;
    }
    const key = keyOf(mailbox);
    const exact = exactKeyOf(mailbox);
    const known = claims.get(key);
    if (known === undefined) {
      const spelling = exact === key ? null : exact;
      claims.set(key, { key, object: entry.id, attribute, kind: entry.kind, flags, spelling });
      tally.claimed(covered);
    } else {
      claims.set(key, { ...known, spelling: withSpelling(known, exact) });
    }
  }
  return { claims: [...claims.values()], doubtful };
}

/** Directories hold local parts with spaces without the quotes that RFC 5321 wants; nothing else is guessed at. */
function mailboxOf(value: string): Mailbox | undefined {
  const parsed = parseMailbox(value);
  if (parsed.ok) return parsed.mailbox;
  if (!/^[^\s@<>()",;:[\]\\][^@<>()",;:[\]\\]*@[^@]+$/.test(value)) return undefined;
  const internal = parseInternal(value);
  return internal.ok ? internal.mailbox : undefined;
}

function withSpelling({ key, spelling }: StagedClaim, exact: string): string | null {
  const spellings = new Set([...(spelling?.split(spellingSeparator) ?? [key]), exact]);
  return spellings.size === 1 && spellings.has(key) ? null : [...spellings].sort().join(spellingSeparator);
}
