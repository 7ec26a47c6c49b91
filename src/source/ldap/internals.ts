/**
 * The few parts of ldapts 8.2 that Rollcall needs and TypeScript calls private, in one place.
 *
 * Why: the searches of ldapts stop at an empty page although the cookie says that more follows, and reconnect
 * unbound when the connection is lost. Both lose people without an error, so the pager sends its own requests.
 * Refuses an ldapts that has no such parts, at the first use.
 */
import type { Client, MessageParser, SearchRequest } from 'ldapts';

export interface LdaptsInternals {
  /** Sends over the connection there is, never over a new one. */
  _send(request: SearchRequest): Promise<unknown>;
  _nextMessageId(): number;
  readonly messageParser: MessageParser;
}

export function internalsOf(client: Client): LdaptsInternals {
  // Checked below: the types of ldapts hide what its prototype has.
  const parts = client as unknown as Partial<LdaptsInternals>;
  if (
    typeof parts._send !== 'function' ||
    typeof parts._nextMessageId !== 'function' ||
    typeof parts.messageParser?.on !== 'function'
  ) {
    throw new Error('this version of ldapts is not one that Rollcall knows');
  }
  return parts as LdaptsInternals;
}
