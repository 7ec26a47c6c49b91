/**
 * decide: the one door for edges. A question in, a verdict out; one indexed read for most, synchronous, no I/O but that.
 *
 * Promises: never throws; 550 for a missing, disabled or internal-only recipient only while the lists of its domain are
 * fresh and complete; whatever goes wrong in here is a defer. A known address is accepted however old the list is: age
 * makes a list unfit to deny somebody, not to know them.
 */
import { foldLocal } from '../address/key.js';
import { parseInternal, parseMailbox, type Mailbox, type ParseResult } from '../address/mailbox.js';
import { lacksBases } from '../address/subaddress.js';
import { askLists, isAcceptReason, type Finding, type ListOptions } from './ask-lists.js';
import type { DomainPolicy, DomainTable } from './domain-table.js';
import { freshnessOf } from './freshness.js';
import { replies, type Decide, type Question, type Reply, type Verdict } from './verdict.js';

export interface DecideOptions extends ListOptions {
  /** The table in force; a function, so that a reload takes effect with the next question. */
  readonly domains: () => DomainTable;
  /** A fresh reference for an answer that is not a plain accept. */
  readonly reference: () => string;
  /** Told of failures of our own, which become defers. */
  readonly onFailure?: (error: unknown, question: Question) => void;
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

type BadAddress = Extract<ParseResult, { readonly ok: false }>;

function parse(question: Question): ParseResult {
  return question.form === 'internal' ? parseInternal(question.recipient) : parseMailbox(question.recipient);
}

function examine(options: DecideOptions, question: Question): Finding {
  const parsed = parse(question);
  if (!parsed.ok) return examineBad(options, question, parsed);
  const { mailbox } = parsed;
  const policy = options.domains().find(mailbox.domain);
  if (policy === undefined) return { reason: 'not-our-domain' };
  if (policy.mode === 'off') return { reason: 'off', policy };
  const folded = foldLocal(mailbox.local);
  const key = `${folded}@${mailbox.domain}`;
  if (isAlways(options, policy, folded)) return { reason: 'always', policy, key };
  const listed = policy.isAskedOnly ? undefined : askLists(options, policy, mailbox, folded, question);
  if (listed !== undefined && isAcceptReason(listed.reason)) return listed;
  // a pattern or catch-all speaks for addresses that no list denies by name
  if (listed === undefined || listed.reason === 'removed') {
    const target = targetOf(options, policy);
    if (policy.matchesPattern(folded) || target?.matchesPattern(folded) === true)
      return { reason: 'pattern', policy, key };
    if (policy.catchAll || target?.catchAll === true) return { reason: 'catch-all', policy, key };
  }
  return trustworthy(options, listed ?? { reason: 'unknown', policy, key }, mailbox);
}

/** Not an address; if its domain can still be told, that domain's mode decides how it is answered. */
function examineBad(options: DecideOptions, question: Question, { problem, domain }: BadAddress): Finding {
  // RFC 5321 §4.5.1: <postmaster> without a domain must be accepted
  if (question.recipient.replace(/^<|>$/g, '').toLowerCase() === 'postmaster') return { reason: 'always' };
  const policy = domain === undefined ? undefined : options.domains().find(domain);
  if (policy?.mode === 'off') return { reason: 'off', policy };
  const namesNone = problem === 'no-domain' || problem === 'bad-domain';
  const isForeign =
    policy === undefined && (domain !== undefined || (question.advisory === true && namesNone));
  return { reason: isForeign ? 'not-our-domain' : 'bad-syntax', policy };
}

function isAlways(options: DecideOptions, policy: DomainPolicy, folded: string): boolean {
  return policy.always.has(folded) || targetOf(options, policy)?.always.has(folded) === true;
}

/** The policy of the domain whose local parts hold in this one too. */
function targetOf(options: DecideOptions, policy: DomainPolicy): DomainPolicy | undefined {
  return policy.aliasOf === undefined ? undefined : options.domains().find(policy.aliasOf);
}

/** A denial stands only on lists that are fresh and complete; otherwise the domain's `whenStale` speaks. */
function trustworthy(options: DecideOptions, finding: Finding, { local, domain }: Mailbox): Finding {
  const { policy } = finding;
  if (policy === undefined || replies[finding.reason].action !== 'reject') return finding;
  // nothing was read: its own server has to be asked (confirm.ts)
  if (policy.isAskedOnly) return { ...finding, reason: 'never-synced' };
  if (options.lookup.generation() === undefined) throw new Error('there is no snapshot to look into');
  const freshness = freshnessOf(options.lookup, policy, domain, options.now());
  if (freshness !== 'fresh') return { ...finding, reason: freshness };
  // a base that was not asked about may be somebody
  return lacksBases(local, policy.subaddress) ? { ...finding, reason: 'failure' } : finding;
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

/** `isFinal`: nobody is to be asked any more. */
export function toVerdict(finding: Finding, reference: () => string, isFinal = false): Verdict {
  const { reason, policy } = finding;
  const reply = (policy?.replies ?? replies)[reason];
  if (reply.action === 'accept') return verdict(finding, reply, undefined, undefined);
  if (policy?.mode === 'observe') return verdict(finding, replies.known, reference(), { ...reply, reason });
  const isListAge = reason === 'stale' || reason === 'never-synced';
  // with `whenStale: accept` the domain's own server still comes first, where there is one
  const mayAccept = isFinal || policy?.callAhead.length === 0;
  if (isListAge && policy?.whenStale === 'accept' && mayAccept)
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
