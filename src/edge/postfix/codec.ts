/**
 * Postfix access policy delegation, the reading side (SMTPD_POLICY_README, "Protocol description"): `name=value` lines in
 * any order, ended by an empty line.
 *
 * Promises the same requests however the bytes are cut into packets, memory bounded by `maxRequestBytes`, and attributes
 * it does not know ignored. Refuses, for good, whatever is not the protocol: NUL, a line without `=`, an empty request, a
 * request that is no `smtpd_access_policy`, a name given twice among those that count, and one that is too long.
 */
import type { RequestParser } from '../exchange.js';

export interface PolicyRequest {
  /** `RCPT`, `MAIL`, `DATA`…; empty when absent. */
  readonly state: string;
  /** Unquoted, as Postfix sends it; empty when absent. */
  readonly recipient: string;
  /** Empty for the null sender; undefined when absent. */
  readonly sender: string | undefined;
  /** Undefined when absent or empty. */
  readonly client: string | undefined;
}

const endOfRequest = '\n\n';

export function createPolicyParser(maxRequestBytes: number): RequestParser<PolicyRequest> {
  // As latin1 text, where one character is one octet: searching and cutting text is much cheaper than bytes.
  let kept = '';

  function push(chunk: Buffer, onRequest: (request: PolicyRequest) => void): string | undefined {
    const data = kept + chunk.toString('latin1');
    let start = 0;
    // An end that straddles two packets begins one octet before this one.
    let from = Math.max(0, kept.length - 1);
    while (start < data.length) {
      if (data.charCodeAt(start) === newline) return fail('empty request');
      const end = data.indexOf(endOfRequest, from);
      const length = (end === -1 ? data.length : end + 2) - start;
      if (length > maxRequestBytes) return fail('request too long');
      if (end === -1) break;
      const request = parseRequest(data.slice(start, end + 1));
      if (typeof request === 'string') return fail(request);
      onRequest(request);
      from = start = end + 2;
    }
    // A copy: a slice would keep the whole packet's memory alive.
    kept = start === data.length ? '' : Buffer.from(data.slice(start), 'latin1').toString('latin1');
    return undefined;
  }

  function fail(problem: string): string {
    kept = '';
    return problem;
  }

  return { push, pending: () => kept !== '' };
}

const newline = 0x0a;

/** `text` holds octets; every line ends with a newline. A string is the problem. */
function parseRequest(text: string): PolicyRequest | string {
  return parseUsual(text) ?? parseAny(text);
}

/**
 * The request as Postfix writes it: `request=` first, each attribute once. Native searches for the few that count, as this
 * runs for each recipient of a busy Postfix; undefined for anything else, which goes the long way.
 */
function parseUsual(text: string): PolicyRequest | undefined {
  if (!text.startsWith(usualStart) || text.includes('\0')) return undefined;
  const state = usualValue(text, '\nprotocol_state=');
  const recipient = usualValue(text, '\nrecipient=');
  const sender = usualValue(text, '\nsender=');
  const client = usualValue(text, '\nclient_address=');
  if (state === undefined || recipient === undefined || sender === undefined || client === undefined)
    return undefined;
  if (text.includes('\nrequest=')) return undefined;
  return { state, recipient, sender, client: client === '' ? undefined : client };
}

const usualStart = 'request=smtpd_access_policy\n';

/** The value of an attribute that is there just once. `name` has its newline and its `=`. */
function usualValue(text: string, name: string): string | undefined {
  const at = text.indexOf(name);
  if (at === -1 || text.includes(name, at + name.length - 1)) return undefined;
  const start = at + name.length;
  return text.slice(start, text.indexOf('\n', start));
}

/** `name=value` lines without NUL, to the end. */
const wellFormed = /^(?:[^=\n\0]+=[^\n\0]*\n)+$/;

function parseAny(text: string): PolicyRequest | string {
  if (!wellFormed.test(text)) return 'not lines of name=value';
  const found = new Array<string | undefined>(names.length);
  for (let start = 0; start < text.length; start = text.indexOf('\n', start) + 1) {
    const which = wantedAt(text, start);
    if (which === -1) continue;
    if (found[which] !== undefined) return 'an attribute given twice';
    found[which] = text.slice(text.indexOf('=', start) + 1, text.indexOf('\n', start));
  }
  const [request, state = '', recipient = '', sender, client] = found;
  if (request !== 'smtpd_access_policy') return 'not an access policy request';
  return { state, recipient, sender, client: client === '' ? undefined : client };
}

const names = ['request=', 'protocol_state=', 'recipient=', 'sender=', 'client_address='] as const;
const [r, p, s, c] = [0x72, 0x70, 0x73, 0x63];

/** Index in `names` of the line that starts there, or -1. By its first letter: most lines cost one comparison. */
function wantedAt(text: string, start: number): number {
  switch (text.charCodeAt(start)) {
    case r:
      if (text.startsWith(names[2], start)) return 2;
      return text.startsWith(names[0], start) ? 0 : -1;
    case p:
      return text.startsWith(names[1], start) ? 1 : -1;
    case s:
      return text.startsWith(names[3], start) ? 3 : -1;
    case c:
      return text.startsWith(names[4], start) ? 4 : -1;
    default:
      return -1;
  }
}
