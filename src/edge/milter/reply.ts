/**
 * A verdict as a milter answer to RCPT.
 *
 * Promises CONTINUE for an accept, and for a domain that is not ours (an asking edge has no opinion there): ACCEPT would end
 * the check for the whole message, SKIP for its other recipients. Otherwise always code, status and text: a bare REJECT means
 * 550 5.7.1 to the MTA.
 */
import type { Verdict } from '../../policy/verdict.js';
import { replyText } from '../reply-text.js';
import { frame } from './codec.js';
import { answers } from './protocol.js';

export const goOn = frame(answers.continue);

export function milterReply(verdict: Verdict): string {
  if (verdict.action === 'accept' || verdict.reason === 'not-our-domain') return goOn;
  // The MTA reads it as a format (smfi_setreply: "%%" for a percent sign).
  const text = replyText(verdict).replaceAll('%', '%%');
  return frame(answers.replyCode, `${verdict.code} ${verdict.status} ${text}\0`);
}
