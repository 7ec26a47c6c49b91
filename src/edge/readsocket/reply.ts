/**
 * A verdict as one line: `250 2.1.5 Recipient ok`, `550 5.1.1 No such mailbox here (ref …)`, `451 4.4.3 …`. Code and status
 * stand first, so that an Exim ACL can hand the whole line on as its `message`.
 *
 * A domain that is not ours is `DUNNO …`, no code: an asking edge has no opinion there, and an ACL that looks for a 2, a 4
 * or a 5 must find none of them.
 */
import type { Verdict } from '../../policy/verdict.js';
import { replyText } from '../reply-text.js';

const noOpinion = 'DUNNO not a domain served here\n';

export function readsocketReply(verdict: Verdict): string {
  if (verdict.reason === 'not-our-domain') return noOpinion;
  return `${verdict.code} ${verdict.status} ${replyText(verdict)}\n`;
}
