/**
 * Netstrings (https://cr.yp.to/proto/netstrings.txt), as socketmap_table(5) wraps its requests and replies in them.
 *
 * Promises the same contents however the bytes are cut into packets, and memory bounded by `maxBytes` for what is not whole
 * yet, whatever it is cut into. Refuses, for good: a length that is no number or has leading zeros, one above `maxBytes`
 * before any of the content is kept, and a content without its comma.
 */
import type { RequestParser } from '../exchange.js';

/** Requests are the contents, one character an octet (latin1). */
export function createNetstringParser(maxBytes: number): RequestParser<string> {
  /** Digits of a length whose colon has not come. */
  let head = '';
  /** The content and comma that have not come whole, and how much of them has. */
  let body: Buffer | undefined;
  let filled = 0;

  function push(chunk: Buffer, onContent: (content: string) => void): string | undefined {
    let from = 0;
    if (body !== undefined) {
      from = Math.min(chunk.length, body.length - filled);
      filled += chunk.copy(body, filled, 0, from);
      if (filled < body.length) return undefined;
      const whole = body;
      body = undefined;
      if (whole[whole.length - 1] !== comma) return noComma;
      onContent(whole.toString('latin1', 0, whole.length - 1));
    }
    return scan(head + chunk.toString('latin1', from), onContent);
  }

  function scan(data: string, onContent: (content: string) => void): string | undefined {
    head = '';
    let start = 0;
    while (start < data.length) {
      let length = 0;
      let at = start;
      for (; at < data.length; at += 1) {
        const digit = data.charCodeAt(at) - zero;
        if (digit < 0 || digit > 9) break;
        // judged digit by digit, like the limit: the answer is the same wherever the packets were cut
        if (at > start && length === 0) return noLength;
        length = length * 10 + digit;
        if (length > maxBytes) return 'request too long';
      }
      if (at === data.length) {
        head = data.slice(start);
        return undefined;
      }
      if (at === start || data.charCodeAt(at) !== colon) return noLength;
      const end = at + 1 + length;
      if (end >= data.length) {
        body = Buffer.allocUnsafe(length + 1);
        filled = body.write(data.slice(at + 1), 'latin1');
        return undefined;
      }
      if (data.charCodeAt(end) !== comma) return noComma;
      onContent(data.slice(at + 1, end));
      start = end + 1;
    }
    return undefined;
  }

  return { push, pending: () => body !== undefined || head !== '' };
}

const [zero, colon, comma] = [0x30, 0x3a, 0x2c];
const noLength = 'not a netstring: no length';
const noComma = 'not a netstring: no comma after the content';

/** `content` is ASCII. */
export function netstring(content: string): string {
  return `${content.length}:${content},`;
}
