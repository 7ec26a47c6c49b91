/**
 * SMTP replies, as a next hop gives them: lines in, whole replies out (RFC 5321 §4.2 and §4.2.1).
 *
 * Promises a reply that can be handed on as it is: printable lines of one code, bounded in number. Refuses what is no reply:
 * the next hop that says it is lost.
 */

export interface Reply {
  readonly code: number;
  /** All lines, without line ends, as they came (latin1). */
  readonly lines: readonly string[];
}

/** The lines of one reply; RFC 5321 names no limit. Postfix's EHLO has about a dozen. */
const maxLines = 200;

const replyLine = /^([2-5]\d\d)(?:([ -])(.*))?$/s;
const controls = /[\x00-\x08\x0a-\x1f\x7f]/g;

export interface ReplyParser {
  /** The reply that this line completes; undefined while more belongs to it; `wrong` when it is none. */
  push(line: string): Reply | 'wrong' | undefined;
}

export function createReplyParser(): ReplyParser {
  let lines: string[] = [];
  let code = '';
  return {
    push(line) {
      const match = replyLine.exec(line);
      if (match === null || lines.length >= maxLines) return 'wrong';
      const [, ofLine = '', separator = ' '] = match;
      // RFC 5321 §4.2.1: every line of a reply has the same code.
      if (lines.length > 0 && ofLine !== code) return 'wrong';
      code = ofLine;
      lines.push(line.replace(controls, ' '));
      if (separator === '-') return undefined;
      const reply = { code: Number(code), lines };
      lines = [];
      return reply;
    },
  };
}

/** As it is sent, with its last CRLF. */
export function replyBytes(reply: Reply): string {
  return `${reply.lines.join('\r\n')}\r\n`;
}

/** On one line, for a log. */
export function replyLineOf(reply: Reply): string {
  return reply.lines.join(' / ').slice(0, 300);
}

/** The first digit of the code. */
export function kindOf(reply: Reply): 2 | 3 | 4 | 5 {
  const first = Math.floor(reply.code / 100);
  return first === 2 || first === 3 || first === 4 ? first : 5;
}
