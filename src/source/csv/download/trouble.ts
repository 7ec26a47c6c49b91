/** What went wrong with a download, in words: which status, which certificate, and how to mend it. */
import { messageOf, RollcallError } from '../../../errors.js';

const access = 'Check the header Authorization in `headers` of the source, or its `secretQuery`.';
const place = 'Check `url` of the source with `curl -v`.';
const later = 'It is tried again on the next slot of `schedule`.';

const statuses: Readonly<Record<number, readonly [string, string]>> = {
  204: ['it has no list (204)', place],
  400: ['it does not understand the request (400)', place],
  401: ['it wants to know who we are, or does not accept what we said (401)', access],
  403: ['it refuses us the list (403)', access],
  404: ['there is no list at this address (404)', place],
  407: ['the proxy wants to know who we are (407)', 'Check `proxy` of the source, or HTTPS_PROXY.'],
  410: ['the list is gone for good (410)', place],
  429: ['it was asked too often (429)', later],
};

/** An answer that is no list. */
export function refuseStatus(label: string, status: number): RollcallError {
  const [text, hint] = statuses[status] ?? [
    status >= 500 ? `it has trouble of its own (${String(status)})` : `it answered ${String(status)}`,
    status >= 500 ? later : place,
  ];
  return new RollcallError('source', `${label}: ${text}`, { hint });
}

const trust = 'Set `ca` of the source to the certificate of the CA that signed it.';
const certificates: Readonly<Record<string, readonly [string, string]>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: ['its certificate is signed by itself', trust],
  SELF_SIGNED_CERT_IN_CHAIN: ['its certificate is signed by a CA that is not known here', trust],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['its certificate is signed by a CA that is not known here', trust],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['its certificate is signed by a CA that is not known here', trust],
  CERT_HAS_EXPIRED: ['its certificate has expired', 'Renew the certificate of the server.'],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'its certificate is for another host',
    'Use the name in the certificate in `url`.',
  ],
};

const packed: Readonly<Record<string, readonly [string, string]>> = {
  Z_DATA_ERROR: [
    'it says that the list is packed (Content-Encoding: gzip), but it is not, or it is damaged',
    place,
  ],
};

const cut: ReadonlySet<string> = new Set([
  'UND_ERR_SOCKET',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'ECONNRESET',
  'ERR_STREAM_PREMATURE_CLOSE',
  'Z_BUF_ERROR',
]);
const silent: ReadonlySet<string> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
]);

/** Anything that was thrown on the way. */
export function explainTrouble(label: string, error: unknown): RollcallError {
  if (error instanceof RollcallError) return error;
  const code = codeOf(error);
  const [text, hint] = certificates[code] ?? packed[code] ?? [plain(code, messageOf(error)), ''];
  return new RollcallError('source', `${label}: ${text}; nothing was changed`, { hint, cause: error });
}

function plain(code: string, message: string): string {
  if (cut.has(code)) return `the list broke off (${message})`;
  return silent.has(code) ? `the server did not answer in time (${message})` : message;
}

/** The code of the error, or of what caused it: a connection tried over IPv4 and IPv6 fails with several. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: unknown };
  return typeof code === 'string' ? code : codeOf(cause);
}
