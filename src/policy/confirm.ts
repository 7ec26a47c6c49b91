/**
 * confirm: the second opinion on a verdict that is no accept, by the domain's own mail server.
 *
 * Promises: a yes from a server that tells its recipients apart accepts; a no refuses only where no list stands in doubt (one
 * that is stale or was removed from lately stays deferred); no answer is a defer, never a guess. At once for what is cached.
 * Never throws, never rejects: a failure of its own is the verdict `failure`.
 */
import { formatMailbox, parseInternal, parseMailbox } from '../address/mailbox.js';
import type { Finding } from '../callahead/finding.js';
import { toVerdict } from './decide.js';
import type { DomainPolicy, DomainTable } from './domain-table.js';
import type { Confirm, Question, Reason, Verdict } from './verdict.js';

export interface ConfirmOptions {
  readonly domains: () => DomainTable;
  /** What the mail servers of a source say of a recipient; `address` spelled as in RFC 5321. Never rejects. */
  readonly askServer: (
    source: string,
    recipient: { readonly address: string; readonly domain: string },
  ) => Finding | Promise<Finding>;
  readonly reference: () => string;
  readonly now: () => number;
  readonly onFailure?: (error: unknown, question: Question) => void;
}

/** The denials and doubts that a server may have a word on. What an administrator laid down is none of its business. */
const askable = ['unknown', 'removed', 'stale', 'never-synced'] as const;
type Askable = (typeof askable)[number];

export function createConfirm(options: ConfirmOptions): Confirm {
  return (question, verdict) => {
    try {
      return confirm(options, question, verdict);
    } catch (error) {
      options.onFailure?.(error, question);
      return toVerdict({ reason: 'failure' }, options.reference);
    }
  };
}

function confirm(
  options: ConfirmOptions,
  question: Question,
  verdict: Verdict,
): Verdict | Promise<Verdict> | undefined {
  const reason = askableReason(verdict.wouldBe?.reason ?? verdict.reason);
  const policy = verdict.domain === undefined ? undefined : options.domains().find(verdict.domain);
  if (reason === undefined || policy === undefined || policy.callAhead.length === 0) return undefined;
  const recipients = recipientsOf(question, policy);
  if (recipients.length === 0) return undefined;
  const findings = policy.callAhead.flatMap((source) =>
    recipients.map((recipient) => options.askServer(source, recipient)),
  );
  const conclude = (found: readonly Finding[]): Verdict => {
    const finding = asFarAsAsked(mergeFindings(found), question, policy);
    const next = reasonAfter(reason, finding, policy, options.now());
    // `decide` left `whenStale: accept` for after the server was asked
    if (next === reason && policy.whenStale === 'defer') return verdict;
    return toVerdict({ reason: next, policy, key: verdict.key }, options.reference, true);
  };
  const cached = findings.filter((finding): finding is Finding => !(finding instanceof Promise));
  if (cached.length === findings.length) return conclude(cached);
  return Promise.all(findings.map((finding) => Promise.resolve(finding))).then(conclude);
}

/** Who folds case before asking did not ask about this mailbox, where case tells mailboxes apart. */
function asFarAsAsked(finding: Finding, question: Question, policy: DomainPolicy): Finding {
  const isOther = question.folded === true && policy.caseSensitive;
  return isOther && finding.kind === 'unknown' ? { kind: 'unanswered' } : finding;
}

function askableReason(reason: Reason): Askable | undefined {
  return askable.find((each) => each === reason);
}

/** As it was given, which is how it will be delivered; and in the domain that this one is an alias of. */
function recipientsOf(
  question: Question,
  policy: DomainPolicy,
): { readonly address: string; readonly domain: string }[] {
  const parsed =
    question.form === 'internal' ? parseInternal(question.recipient) : parseMailbox(question.recipient);
  if (!parsed.ok) return [];
  const { mailbox } = parsed;
  const domains = policy.aliasOf === undefined ? [mailbox.domain] : [mailbox.domain, policy.aliasOf];
  // Postfix spells what it delivers from the internal form anew, with quotes
  const isGiven = question.form === 'smtp' && !question.recipient.includes('"') && dots.test(mailbox.local);
  return domains.map((domain) => ({
    address: isGiven ? `${mailbox.local}@${domain}` : formatMailbox({ local: mailbox.local, domain }),
    domain,
  }));
}

/** Dots where RFC 5321 §4.1.2 has none, as clients send them (`a..b@`); some servers know them only without quotes. */
const dots = /^[^\s"<>()[\]\\,;:@]+$/;

/** Several servers, or an alias and its target: the kindest speaks, and a denial only when all agree. */
export function mergeFindings(findings: readonly Finding[]): Finding {
  const of = (kind: Finding['kind']): Finding | undefined => findings.find((each) => each.kind === kind);
  const denials = findings.filter((each) => each.kind === 'unknown');
  const knownUntil = Math.max(...denials.map((each) => each.knownUntil ?? -Infinity));
  const denial: Finding = {
    kind: 'unknown',
    knownUntil: Number.isFinite(knownUntil) ? knownUntil : undefined,
  };
  return (
    of('known') ??
    of('accepts-all') ??
    of('unanswered') ??
    (denials.length > 0 ? denial : { kind: 'unanswered' })
  );
}

/** The table: what was found on the lists, and what the server says. */
export function reasonAfter(
  reason: Askable,
  finding: Finding,
  policy: Pick<DomainPolicy, 'isAskedOnly' | 'removedDeferForMs'>,
  now: number,
): Reason {
  switch (finding.kind) {
    case 'known':
      return 'known';
    case 'accepts-all':
      // it confirms nobody: lists that are fresh are not overruled, and those in doubt stay in doubt
      return policy.isAskedOnly ? 'catch-all' : reason;
    case 'unanswered':
      return policy.isAskedOnly || reason === 'unknown' ? 'failure' : reason;
    case 'unknown':
      if (!policy.isAskedOnly && reason !== 'unknown') return reason;
      return isLately(finding.knownUntil, policy.removedDeferForMs, now) ? 'removed' : 'unknown';
  }
}

function isLately(at: number | undefined, forMs: number, now: number): boolean {
  return at !== undefined && now - at < forMs;
}
