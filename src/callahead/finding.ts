/** What asking a domain's own mail server comes to, and the server's word on one recipient. Plain values. */

export type Finding =
  /** The server takes this recipient, and not just any. */
  | { readonly kind: 'known' }
  /** It says that there is no such mailbox. `knownUntil`: it had taken it before; since when it does not, in ms. */
  | { readonly kind: 'unknown'; readonly knownUntil?: number | undefined }
  /** It takes every recipient there could be, and its operator wants that to count. */
  | { readonly kind: 'accepts-all' }
  /** It was not reached, was not asked, or what it said decides nothing. */
  | { readonly kind: 'unanswered' };

export const known: Finding = { kind: 'known' };
export const unknown: Finding = { kind: 'unknown' };
export const acceptsAll: Finding = { kind: 'accepts-all' };
export const unanswered: Finding = { kind: 'unanswered' };

/** What one reply to RCPT says of the recipient; `unclear`: nothing. */
export type Word = 'known' | 'unknown' | 'unclear';

/** An SMTP reply (RFC 5321 §4.2): the code, and the text of each line. */
export interface Reply {
  readonly code: number;
  readonly lines: readonly string[];
}
