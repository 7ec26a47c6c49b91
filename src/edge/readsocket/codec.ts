/**
 * The question of one line that Exim's `${readsocket}` sends: `recipient[TAB sender[TAB client]]`, ended by LF or by the
 * end of what is sent. Ours, as Exim leaves the words to the two ends.
 *
 * TAB, because no address has one: a line with more than two, as one with an odd recipient in it might be, is refused.
 */
import { isIP } from 'node:net';
import type { RequestParser } from '../exchange.js';
import { createLineParser } from '../line-parser.js';

/** Octets (latin1). */
export interface ReadsocketRequest {
  readonly recipient: string;
  /** Empty for the null sender; undefined when absent. */
  readonly sender: string | undefined;
  /** Undefined when absent, empty, or no IP address. */
  readonly client: string | undefined;
}

export function createReadsocketParser(maxLineBytes: number): RequestParser<ReadsocketRequest> {
  return createLineParser({ maxLineBytes, read: readRequest, endIsLineEnd: true });
}

function readRequest(line: string): ReadsocketRequest | undefined {
  const [recipient = '', sender, client, ...more] = line.split('\t', 4);
  if (recipient === '' || more.length > 0) return undefined;
  return { recipient, sender, client: client !== undefined && isIP(client) !== 0 ? client : undefined };
}
