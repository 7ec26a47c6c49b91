/**
 * What went wrong with a directory, in words that say how to mend it: LDAP result codes (RFC 4511 §4.1.9), Active
 * Directory's data codes, certificate and socket errors. Never repeats a password: it is never given one.
 */
import { ResultCodeError } from 'ldapts';
import { messageOf, RollcallError } from '../../errors.js';

interface Explained {
  readonly text: string;
  readonly hint: string;
}

const results: Readonly<Record<number, Explained>> = {
  1: { text: 'operations error', hint: 'Active Directory answers this when a search comes before a bind.' },
  3: {
    text: 'time limit exceeded',
    hint: 'Raise timeLimit here, or the time limit of the server for this account.',
  },
  4: {
    text: 'size limit exceeded',
    hint: 'Raise the size limit of the server for this account, or let it page without a limit.',
  },
  7: { text: 'authentication method not supported', hint: 'The server takes no simple binds.' },
  8: {
    text: 'stronger authentication required',
    hint: 'Use ldaps:// or startTls: the server refuses plain binds (domain controllers that require signing do).',
  },
  10: { text: 'referral', hint: 'The base belongs to another server: name that server, or another base.' },
  11: {
    text: 'administrative limit exceeded',
    hint: 'Raise the look-through or paging limit of the server for this account.',
  },
  12: {
    text: 'unavailable critical extension',
    hint: 'The server, or this account, may not use paged results.',
  },
  13: { text: 'confidentiality required', hint: 'Use ldaps:// or startTls: the server wants TLS first.' },
  32: { text: 'no such object', hint: 'Check baseDn: it does not exist, or this account may not see it.' },
  34: { text: 'invalid DN syntax', hint: 'Check the spelling of baseDn and bindDn.' },
  48: {
    text: 'inappropriate authentication',
    hint: 'Check bindDn: that entry has no password to bind with.',
  },
  49: { text: 'invalid credentials', hint: 'Check bindDn and bindPassword.' },
  50: { text: 'insufficient access', hint: 'Give this account the right to read the base.' },
  51: { text: 'server busy', hint: 'Try again later, or name a second server.' },
  52: { text: 'server unavailable', hint: 'Try again later, or name a second server.' },
  53: { text: 'unwilling to perform', hint: 'The server’s message says why.' },
};

/** Active Directory puts a Windows error in the message of result 49: `..., data 52e, ...`. */
const windows: Readonly<Record<string, string>> = {
  '525': 'no such user',
  '52e': 'wrong password',
  '530': 'not allowed to log on at this time',
  '531': 'not allowed to log on from this machine',
  '532': 'the password has expired',
  '533': 'the account is disabled',
  '701': 'the account has expired',
  '773': 'the password must be changed first',
  '775': 'the account is locked out',
  '80090346': 'the server wants channel binding: a proxy that ends TLS in between breaks it',
};

const certificates: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed: set tls.ca to it',
  SELF_SIGNED_CERT_IN_CHAIN:
    'the certificate is signed by a CA that is not trusted here: set tls.ca to that CA',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the CA of the certificate is not trusted here: set tls.ca to that CA',
  UNABLE_TO_GET_ISSUER_CERT: 'the CA of the certificate is not trusted here: set tls.ca to that CA',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'the certificate is signed by a CA that is not trusted here: set tls.ca to that CA',
  CERT_SIGNATURE_FAILURE: 'the certificate was not signed by the CA in tls.ca',
  CERT_HAS_EXPIRED: 'the certificate of the server has expired',
  CERT_NOT_YET_VALID: 'the certificate of the server is not valid yet: check the clocks',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'the certificate names another host: use that name in url, or set tls.servername',
};

const sockets: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: nothing listens there',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be resolved at the moment',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'no answer: is a firewall in between?',
  ECONNRESET: 'the server closed the connection',
  EPIPE: 'the server closed the connection',
  EPROTO: 'no TLS there: is this the LDAPS port?',
};

/** One sentence about an LDAP result: `size limit exceeded (result 4: ...)`. */
export function explainResult(code: number, serverText: string): Explained {
  const known = results[code] ?? { text: 'unexpected answer', hint: '' };
  const data = /\bdata ([0-9a-f]{3,8})\b/i.exec(serverText)?.[1]?.toLowerCase();
  const reason = code === 49 && data !== undefined ? windows[data] : undefined;
  const said = serverText.trim().slice(0, 300);
  const detail = [reason, said].filter((part) => part !== undefined && part !== '').join('; ');
  return {
    text: `${known.text} (result ${String(code)}${detail === '' ? '' : `: ${detail}`})`,
    hint: known.hint,
  };
}

/** Anything that a connection, a bind or a search throws, as a RollcallError with code `source`. */
export function explain(where: string, error: unknown): RollcallError {
  if (error instanceof RollcallError) return error;
  const { text, hint } = explainError(error);
  return new RollcallError('source', `${where}: ${text}`, { hint, cause: error });
}

function explainError(error: unknown): Explained {
  if (error instanceof ResultCodeError) {
    return explainResult(error.code, error.message.replace(/ Code: 0x[0-9a-f]+$/i, ''));
  }
  const code = codeOf(error);
  const certificate = certificates[code];
  if (certificate !== undefined) return { text: `TLS: ${certificate}`, hint: '' };
  return { text: sockets[code] ?? messageOf(error).replace(/\s+/g, ' '), hint: '' };
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  // what ends an operation under way reaches us from ldapts as text: "Socket error. ... read ECONNRESET"
  return /\bE[A-Z]{3,}\b/.exec(error.message)?.[0] ?? '';
}
