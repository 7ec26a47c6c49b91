/**
 * Asking the lists: what they say of a mailbox in a domain, over its exact address, its subaddress bases and its alias
 * target. Says nothing of how far the lists can be trusted: that is for the caller.
 */
import { foldLocal } from '../address/key.js';
import { normaliseDomain } from '../address/domain.js';
import type { Mailbox } from '../address/mailbox.js';
import { subaddressBases } from '../address/subaddress.js';
import type { LookupView } from '../lookup/reader.js';
import type { DomainPolicy, DomainTable } from './domain-table.js';
import { mergeSlots, type Status } from './merge.js';
import { replies, type Question, type Reason } from './verdict.js';

export interface ListOptions {
  readonly domains: () => DomainTable;
  readonly lookup: LookupView;
  readonly now: () => number;
}

/** What was found, before mode and reference are put on. */
export interface Finding {
  readonly reason: Reason;
  readonly policy?: DomainPolicy | undefined;
  readonly key?: string | undefined;
}

/** The exact address, then the parts before subaddress delimiters: the first that any list knows speaks. */
export function askLists(
  options: ListOptions,
  policy: DomainPolicy,
  mailbox: Mailbox,
  folded: string,
  question: Question,
): Finding | undefined {
  const exact = askLocal(options, policy, mailbox.local, folded, mailbox.domain, question);
  if (exact !== undefined && exact.reason !== 'removed') return exact;
  for (const base of subaddressBases(mailbox.local, policy.subaddress)) {
    const found = askLocal(options, policy, base, foldLocal(base), mailbox.domain, question);
    if (found === undefined) continue;
    if (found.reason === 'removed') return exact ?? found;
    return isAcceptReason(found.reason) ? { ...found, reason: 'subaddress' } : found;
  }
  return exact;
}

/** One local part, in its own domain and where that is an alias of: who is known in either is known. */
function askLocal(
  options: ListOptions,
  policy: DomainPolicy,
  local: string,
  folded: string,
  domain: string,
  question: Question,
): Finding | undefined {
  const exact = policy.caseSensitive && question.folded !== true ? local : undefined;
  const own = statusOf(options, policy, exact, folded, domain);
  if (policy.aliasOf === undefined) return judge(options, policy, own, 'known', question);
  const target = statusOf(options, policy, exact, folded, policy.aliasOf);
  const isAlias = rank[target.status.kind] > rank[own.status.kind];
  return judge(options, policy, isAlias ? target : own, isAlias ? 'alias-domain' : 'known', question);
}

interface KeyStatus {
  readonly key: string;
  readonly status: Status;
}

/** The kinder of two statuses speaks. */
const rank: Record<Status['kind'], number> = {
  active: 4,
  'internal-only': 3,
  disabled: 2,
  removed: 1,
  absent: 0,
};

function statusOf(
  options: ListOptions,
  policy: DomainPolicy,
  exact: string | undefined,
  folded: string,
  domain: string,
): KeyStatus {
  const key = `${folded}@${domain}`;
  const exactKey = exact === undefined ? undefined : `${exact}@${domain}`;
  return { key, status: mergeSlots(options.lookup.find(policy.tenant, key), policy.sources, key, exactKey) };
}

function judge(
  options: ListOptions,
  policy: DomainPolicy,
  { key, status }: KeyStatus,
  known: Reason,
  question: Question,
): Finding | undefined {
  switch (status.kind) {
    case 'active':
      return { reason: known, policy, key };
    case 'disabled':
      return { reason: 'disabled', policy, key };
    case 'internal-only':
      return { reason: isOutside(options, policy, question) ? 'internal-only' : known, policy, key };
    case 'removed':
      if (options.now() - status.removedAt < policy.removedDeferForMs)
        return { reason: 'removed', policy, key };
      return undefined;
    case 'absent':
      return undefined;
  }
}

export function isAcceptReason(reason: Reason): boolean {
  return replies[reason].action === 'accept';
}

/**
 * A sender of another domain. The null reverse-path is not: address verification asks with it on behalf of anybody, and
 * a delivery report does no harm to a group. Nor is a sender that the asker cannot tell (a map of recipients), or one without
 * a domain (`root`, as machines of the house send): refusing would refuse insiders too, and the mail system behind knows who
 * sends.
 */
function isOutside(options: ListOptions, policy: DomainPolicy, question: Question): boolean {
  const { sender } = question;
  if (sender === undefined || sender === '' || sender === '<>') return false;
  const at = sender.lastIndexOf('@');
  if (at === -1) return false;
  const domain = normaliseDomain(sender.slice(at + 1).replace(/>$/, ''));
  return domain === undefined || options.domains().find(domain)?.tenant !== policy.tenant;
}
