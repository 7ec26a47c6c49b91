/**
 * Postfix access policy delegation, the reading side (SMTPD_POLICY_README, "Protocol description"): `name=value` lines in
 * any order, ended by an empty line.
 *
 * Promises the same requests however the bytes are cut into packets, memory bounded by `maxRequestBytes`, and attributes
 * it does not know ignored. Refuses, for good, whatever is not the protocol: NUL, a line without `=`, an empty request, a
 * request that is no `smtpd_access_policy`, a name given twice among those that count, and one that is too long.
 */

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

export interface PolicyParser {
  /** Calls `onRequest` for each whole request. Returns what is wrong, and then wants nothing more. */
  push(chunk: Buffer, onRequest: (request: PolicyRequest) => void): string | undefined;
  /** Whether a request has begun and is not whole. */
  pending(): boolean;
}

const newline = 0x0a;
const endOfRequest = '\n\n';
const none = Buffer.alloc(0);

export function createPolicyParser(maxRequestBytes: number): PolicyParser {
  let kept: Buffer = none;

  function push(chunk: Buffer, onRequest: (request: PolicyRequest) => void): string | undefined {
    const data = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
    let start = 0;
    // An end that straddles two packets begins one byte before this one.
    let from = Math.max(0, kept.length - 1);
    while (start < data.length) {
      if (data[start] === newline) return fail('empty request');
      const end = data.indexOf(endOfRequest, from, 'latin1');
      const length = (end === -1 ? data.length : end + 2) - start;
      if (length > maxRequestBytes) return fail('request too long');
      if (end === -1) break;
      const request = parseRequest(data.toString('latin1', start, end + 1));
      if (typeof request === 'string') return fail(request);
      onRequest(request);
      from = start = end + 2;
    }
    // A copy: the rest must not keep the whole packet's memory alive.
    kept = start === data.length ? none : Buffer.from(data.subarray(start));
    return undefined;
  }

  function fail(problem: string): string {
    kept = none;
    return problem;
  }

  return { push, pending: () => kept.length > 0 };
}

interface Attributes {
  request?: string;
  protocol_state?: string;
  recipient?: string;
  sender?: string;
  client_address?: string;
}

const wanted = ['recipient', 'sender', 'client_address', 'protocol_state', 'request'] as const;

/** `text` holds octets; every line ends with a newline. A string is the problem. */
function parseRequest(text: string): PolicyRequest | string {
  if (text.includes('\0')) return 'NUL in a request';
  const attributes: Attributes = {};
  for (let start = 0; start < text.length;) {
    const end = text.indexOf('\n', start);
    const equals = text.indexOf('=', start);
    if (equals === -1 || equals > end) return 'line without an equals sign';
    const name = wanted.find((each) => each.length === equals - start && text.startsWith(each, start));
    if (name !== undefined) {
      if (attributes[name] !== undefined) return `two values for ${name}`;
      attributes[name] = text.slice(equals + 1, end);
    }
    start = end + 1;
  }
  return attributes.request === 'smtpd_access_policy'
    ? toRequest(attributes)
    : 'not an access policy request';
}

function toRequest(attributes: Attributes): PolicyRequest {
  return {
    state: attributes.protocol_state ?? '',
    recipient: attributes.recipient ?? '',
    sender: attributes.sender,
    client: attributes.client_address === '' ? undefined : attributes.client_address,
  };
}
