/**
 * A verdict as a Postfix access(5) action.
 *
 * Promises `DUNNO` for an accept (OK would skip the restrictions after ours) and for a domain that is not ours (an asking
 * edge has no opinion there), and otherwise always `code status text`. A bare `550` would be a permit, as Postfix takes
 * an all-digit result for OK, so text is never empty. A defer is an explicit 4xx: DEFER_IF_PERMIT would turn into 450.
 */
import type { Verdict } from '../../policy/verdict.js';
import { replyText } from '../reply-text.js';

export const dunno = 'action=DUNNO\n\n';

export function policyReply(verdict: Verdict): string {
  if (verdict.action === 'accept' || verdict.reason === 'not-our-domain') return dunno;
  return `action=${verdict.code} ${verdict.status} ${replyText(verdict)}\n\n`;
}
