/**
 * SMTP replies out of a byte stream. Pure.
 *
 * Promises whole replies however the packets were cut, and bounded memory: 2000 octets a line, 100 lines a reply. Refuses
 * what is no reply (RFC 5321 §4.2), and lines of one reply with different codes.
 */
import type { Reply } from './finding.js';

/** RFC 5321 §4.5.3.1.5 says 512; lines a little longer are common. */
const maxLine = 2000;
const maxLines = 100;

/** Returns what is wrong; afterwards nothing more is to be pushed. */
export type ReplyParser = (chunk: Buffer, onReply: (reply: Reply) => void) => string | undefined;

export function createReplyParser(): ReplyParser {
  let rest = '';
  let code = 0;
  let lines: string[] = [];

  function takeLine(line: string, onReply: (reply: Reply) => void): string | undefined {
    const match = /^([2-5]\d\d)(?:([ -])(.*))?$/.exec(line);
    if (match === null) return 'not an SMTP reply';
    const [, digits, mark = ' ', text = ''] = match;
    if (lines.length > 0 && Number(digits) !== code) return 'a reply with two codes';
    code = Number(digits);
    lines.push(text);
    if (mark === '-') return lines.length >= maxLines ? 'a reply of too many lines' : undefined;
    const reply = { code, lines };
    lines = [];
    onReply(reply);
    return undefined;
  }

  return (chunk, onReply) => {
    rest += chunk.toString('latin1');
    let end = rest.indexOf('\n');
    while (end !== -1) {
      if (end > maxLine) return 'a reply line that is too long';
      const problem = takeLine(rest.slice(0, end).replace(/\r$/, ''), onReply);
      if (problem !== undefined) return problem;
      rest = rest.slice(end + 1);
      end = rest.indexOf('\n');
    }
    return rest.length > maxLine ? 'a reply line that is too long' : undefined;
  };
}
