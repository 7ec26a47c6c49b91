/**
 * What Rollcall answers at RCPT TO: the verdict, its reasons, and the one table of replies.
 *
 * The table is the outside contract (docs/verdicts.md is checked against it). Edges turn a verdict into their protocol
 * and decide nothing themselves.
 */

export type Action = 'accept' | 'reject' | 'defer';

export const reasons = [
  'known',
  'subaddress',
  'alias-domain',
  'pattern',
  'always',
  'catch-all',
  'off',
  'unknown',
  'removed',
  'disabled',
  'internal-only',
  'bad-syntax',
  'not-our-domain',
  'stale',
  'never-synced',
  'failure',
] as const;
export type Reason = (typeof reasons)[number];

/** An SMTP reply: RFC 5321 §4.2 code, RFC 3463 enhanced status code, and one line of printable ASCII. */
export interface Reply {
  readonly action: Action;
  readonly code: number;
  readonly status: string;
  readonly text: string;
}

const accepted = { action: 'accept', code: 250, status: '2.1.5' } as const;

export const replies: Readonly<Record<Reason, Reply>> = {
  known: { ...accepted, text: 'Recipient ok' },
  subaddress: { ...accepted, text: 'Recipient ok' },
  'alias-domain': { ...accepted, text: 'Recipient ok' },
  pattern: { ...accepted, text: 'Recipient ok' },
  always: { ...accepted, text: 'Recipient ok' },
  'catch-all': { ...accepted, text: 'Recipient ok' },
  off: { ...accepted, text: 'Recipient ok' },
  unknown: { action: 'reject', code: 550, status: '5.1.1', text: 'No such mailbox here' },
  removed: { action: 'defer', code: 450, status: '4.2.1', text: 'Mailbox not available at the moment' },
  disabled: { action: 'reject', code: 550, status: '5.2.1', text: 'Mailbox disabled' },
  'internal-only': {
    action: 'reject',
    code: 550,
    status: '5.7.1',
    text: 'Recipient takes no mail from outside senders',
  },
  'bad-syntax': { action: 'reject', code: 553, status: '5.1.3', text: 'Recipient address syntax is wrong' },
  'not-our-domain': {
    action: 'reject',
    code: 550,
    status: '5.7.1',
    text: 'Relaying denied: not a domain served here',
  },
  stale: { action: 'defer', code: 451, status: '4.4.3', text: 'Recipient list out of date, try again later' },
  'never-synced': {
    action: 'defer',
    code: 451,
    status: '4.4.3',
    text: 'Recipient list not loaded yet, try again later',
  },
  failure: { action: 'defer', code: 451, status: '4.4.3', text: 'Recipient lookup failed, try again later' },
};

export interface Question {
  /** The recipient as the edge got it. */
  readonly recipient: string;
  /**
   * `smtp`: an RFC 5321 Mailbox or Forward-path, quotes included.
   * `internal`: unquoted, split at the last `@` (what Postfix sends to a policy server).
   */
  readonly form: 'smtp' | 'internal';
  /** The asker folds the case of what it asks about, so a domain that tells local parts apart by case cannot hold it to that. */
  readonly folded?: boolean;
  /**
   * An asking door: the asker keeps to its own rules for what is not ours. So an address without a domain, or with one that
   * cannot exist, is `not-our-domain` to it and never `bad-syntax`: it names no configured domain.
   */
  readonly advisory?: boolean;
  /** Envelope sender, empty for the null reverse-path; undefined when unknown. */
  readonly sender?: string | undefined;
  /** Address of the SMTP client. */
  readonly client?: string | undefined;
  /** Which edge asks: `smtp`, `policy`, `cli`, `http`. */
  readonly edge: string;
}

export interface Verdict extends Reply {
  readonly reason: Reason;
  /** Short code that finds this answer again (`rollcall stats --reference`); on rejects and defers only. */
  readonly reference?: string | undefined;
  /** The configured domain that spoke, as A-label. */
  readonly domain?: string | undefined;
  readonly tenant?: string | undefined;
  /** Key under which the address was looked up. */
  readonly key?: string | undefined;
  /** In mode `observe`: what would have been answered. */
  readonly wouldBe?: (Reply & { readonly reason: Reason }) | undefined;
  /** What directories said that were asked about an address no list knows (miss.ts); absent when none was asked. */
  readonly live?: readonly LiveWord[] | undefined;
}

/** The word of one directory on one address. `limited`: it was not asked, as more is asked than may be. */
export interface LiveWord {
  readonly source: string;
  /** The key that was asked about: the address itself, its base, or the same in the domain it is an alias of. */
  readonly recipient: string;
  readonly answer: 'found' | 'not-found' | 'limited' | 'no-answer';
}

/** The one door for edges. Never throws: a failure of its own is the verdict `failure`. */
export type Decide = (question: Question) => Verdict;

/** Told of every answer, after it was given. Never throws, never waits. */
export type Witness = (question: Question, verdict: Verdict) => void;

/**
 * A second opinion on a verdict that is no accept, from somebody who has to be asked: the directory behind the list (miss.ts),
 * or the domain's own mail server (confirm.ts, `kind: smtp` sources). `undefined`: the verdict stands. At once when the answer
 * is cached; a promise settles within the deadline of whoever is asked and never rejects. Turns into a refusal only what is
 * known to be unknown.
 */
export type Confirm = (question: Question, verdict: Verdict) => Verdict | Promise<Verdict> | undefined;

/** Whether we answer for a domain, given as text in any spelling (U-label, A-label, case). Never throws. */
export type Serves = (domain: string) => boolean;
