/**
 * decide: the one door for edges. A question in, a verdict out; one indexed read for most, synchronous, no I/O but that.
 *
 * Promises: never throws; 550 for a missing, disabled or internal-only recipient only while the lists of its domain are
 * fresh and complete; whatever goes wrong in here is a defer. A known address is accepted however old the list is: age
 * makes a list unfit to deny somebody, not to know them.
 */
import { foldLocal } from '../address/key.js';
import { normaliseDomain } from '../address/domain.js';
import { parseInternal, parseMailbox, type Mailbox, type ParseResult } from '../address/mailbox.js';
import { withoutSubaddress } from '../address/subaddress.js';
import type { LookupView } from '../lookup/reader.js';
import type { DomainPolicy, DomainTable } from './domain-table.js';
import { freshnessOf } from './freshness.js';
import { mergeSlots } from './merge.js';
import { replies, type Decide, type Question, type Reason, type Reply, type Verdict } from './verdict.js';

export interface DecideOptions {
  /** The table in force; a function, so that a reload takes effect with the next question. */
  readonly domains: () => DomainTable;
  readonly lookup: LookupView;
  readonly now: () => number;
  /** A fresh reference for an answer that is not a plain accept. */
  readonly reference: () => string;
  /** Told of failures of our own, which become defers. */
  readonly onFailure?: (error: unknown, question: Question) => void;
}

/** What was found, before mode and reference are put on. */
interface Finding {
  readonly reason: Reason;
  readonly policy?: DomainPolicy | undefined;
  readonly key?: string | undefined;
}

export function createDecide(options: DecideOptions): Decide {
  return (question) => {
    let finding: Finding;
    try {
      finding = examine(options, question);
    } catch (error) {
      options.onFailure?.(error, question);
      finding = { reason: 'failure', policy: policyOfFailed(options, question) };
    }
    return toVerdict(finding, options.reference);
  };
}

function parse(question: Question): ParseResult {
  return question.form === 'internal' ? parseInternal(question.recipient) : parseMailbox(question.recipient);
}

function examine(options: DecideOptions, question: Question): Finding {
  const parsed = parse(question);
  if (!parsed.ok) return examineBad(options, question, parsed.domain);
  const { mailbox } = parsed;
  const policy = options.domains().find(mailbox.domain);
  if (policy === undefined) return { reason: 'not-our-domain' };
  if (policy.mode === 'off') return { reason: 'off', policy };
  const folded = foldLocal(mailbox.local);
  const key = `${folded}@${mailbox.domain}`;
  if (policy.always.has(folded)) return { reason: 'always', policy, key };
  const listed = askLists(options, policy, mailbox, folded, question);
  if (listed !== undefined && isAcceptReason(listed.reason)) return listed;
  // a pattern or catch-all speaks for addresses that no list denies by name
  if (listed === undefined || listed.reason === 'removed') {
    if (policy.matchesPattern(folded)) return { reason: 'pattern', policy, key };
    if (policy.catchAll) return { reason: 'catch-all', policy, key };
  }
  return trustworthy(options, listed ?? { reason: 'unknown', policy, key }, mailbox.domain);
}

/** Not an address; if its domain can still be told, that domain's mode decides how it is answered. */
function examineBad(options: DecideOptions, question: Question, domain: string | undefined): Finding {
  // RFC 5321 §4.5.1: <postmaster> without a domain must be accepted
  if (question.recipient.replace(/^<|>$/g, '').toLowerCase() === 'postmaster') return { reason: 'always' };
  const policy = domain === undefined ? undefined : options.domains().find(domain);
  if (policy?.mode === 'off') return { reason: 'off', policy };
  return { reason: domain !== undefined && policy === undefined ? 'not-our-domain' : 'bad-syntax', policy };
}

/** The exact address, then the part before the subaddress delimiter; each in its own domain, then where it is an alias of. */
function askLists(
  options: DecideOptions,
  policy: DomainPolicy,
  mailbox: Mailbox,
  folded: string,
  question: Question,
): Finding | undefined {
  let removed: Finding | undefined;
  const base = withoutSubaddress(mailbox.local, policy.subaddress);
  for (const local of base === undefined ? [mailbox.local] : [mailbox.local, base]) {
    for (const domain of policy.aliasOf === undefined ? [mailbox.domain] : [mailbox.domain, policy.aliasOf]) {
      const key = `${local === mailbox.local ? folded : foldLocal(local)}@${domain}`;
      const exact = policy.caseSensitive ? `${local}@${domain}` : undefined;
      const status = mergeSlots(options.lookup.find(policy.tenant, key), policy.sources, key, exact);
      const reason = acceptReason(local !== mailbox.local, domain !== mailbox.domain);
      if (status.kind === 'active') return { reason, policy, key };
      if (status.kind === 'disabled') return { reason: 'disabled', policy, key };
      if (status.kind === 'internal-only') {
        return { reason: isOutside(options, policy, question) ? 'internal-only' : reason, policy, key };
      }
      if (status.kind === 'removed' && options.now() - status.removedAt < policy.removedDeferForMs) {
        removed ??= { reason: 'removed', policy, key };
      }
    }
  }
  return removed;
}

function acceptReason(isBase: boolean, isAlias: boolean): Reason {
  if (isBase) return 'subaddress';
  return isAlias ? 'alias-domain' : 'known';
}

function isAcceptReason(reason: Reason): boolean {
  return replies[reason].action === 'accept';
}

/**
 * A sender of another domain. The null reverse-path is not: address verification asks with it on behalf of anybody, and
 * a delivery report does no harm to a group.
 */
function isOutside(options: DecideOptions, policy: DomainPolicy, question: Question): boolean {
  const { sender } = question;
  if (sender === undefined) return true;
  if (sender === '' || sender === '<>') return false;
  const domain = normaliseDomain(sender.slice(sender.lastIndexOf('@') + 1).replace(/>$/, ''));
  return domain === undefined || options.domains().find(domain)?.tenant !== policy.tenant;
}

/** A denial stands only on lists that are fresh and complete; otherwise the domain's `whenStale` speaks. */
function trustworthy(options: DecideOptions, finding: Finding, asked: string): Finding {
  const { policy } = finding;
  if (policy === undefined) return finding;
  if (options.lookup.generation() === undefined) throw new Error('there is no snapshot to look into');
  const freshness = freshnessOf(options.lookup, policy, asked, options.now());
  return freshness === 'fresh' ? finding : { ...finding, reason: freshness };
}

function policyOfFailed(options: DecideOptions, question: Question): DomainPolicy | undefined {
  try {
    const parsed = parse(question);
    const domain = parsed.ok ? parsed.mailbox.domain : parsed.domain;
    return domain === undefined ? undefined : options.domains().find(domain);
  } catch {
    return undefined;
  }
}

function toVerdict(finding: Finding, reference: () => string): Verdict {
  const { reason, policy } = finding;
  const reply = (policy?.replies ?? replies)[reason];
  if (reply.action === 'accept') return verdict(finding, reply, undefined, undefined);
  if (policy?.mode === 'observe') return verdict(finding, replies.known, reference(), { ...reply, reason });
  const isListAge = reason === 'stale' || reason === 'never-synced';
  if (isListAge && policy?.whenStale === 'accept')
    return verdict(finding, replies.known, undefined, undefined);
  return verdict(finding, reply, reference(), undefined);
}

/** One literal, so that all verdicts have one shape: spreads cost more here than the read of the snapshot. */
function verdict(
  { reason, policy, key }: Finding,
  { action, code, status, text }: Reply,
  reference: string | undefined,
  wouldBe: Verdict['wouldBe'],
): Verdict {
  const domain = policy?.domain;
  const tenant = policy?.tenant;
  return { action, code, status, text, reason, reference, domain, tenant, key, wouldBe };
}
