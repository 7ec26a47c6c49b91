/**
 * tcp_table(5): `get SP key NL` and `put SP key SP value NL` in, `code SP text NL` out; keys and texts with `%XX` for what
 * may not stand in a line.
 *
 * Promises keys as the client meant them; refuses a request it does not know, and a `%` without two hexadecimal digits.
 */
import type { RequestParser } from '../exchange.js';
import { createLineParser } from '../line-parser.js';

/** `get` with its key as octets (latin1), or `put`, of which nothing is kept. */
export type TcpRequest = { readonly verb: 'get'; readonly key: string } | { readonly verb: 'put' };

/** tcp_table(5): "requests and replies are limited to 4096 characters". */
export const maxTcpLine = 4096;

export function createTcpParser(): RequestParser<TcpRequest> {
  return createLineParser({ maxLineBytes: maxTcpLine, read: readTcpRequest });
}

const put: TcpRequest = { verb: 'put' };

function readTcpRequest(line: string): TcpRequest | undefined {
  if (line.startsWith('put ')) return put;
  if (!line.startsWith('get ')) return undefined;
  const key = decode(line.slice(4));
  return key === undefined ? undefined : { verb: 'get', key };
}

function decode(text: string): string | undefined {
  if (!text.includes('%')) return text;
  if (brokenEscape.test(text)) return undefined;
  return text.replace(escape, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

const brokenEscape = /%(?![\da-f]{2})/i;
const escape = /%([\da-f]{2})/gi;

/** `text` is printable ASCII, and short. */
export function tcpReply(code: 200 | 400 | 500, text: string): string {
  return `${code} ${text.replace(/[^!-$&-~]/g, percent)}\n`;
}

function percent(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
